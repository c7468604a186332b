import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { Room } from "../../src/vault/room.ts";

const LIMIT = 32;
const PIECE = 1;

/** Stores files of these sizes, as many at once, and says how much was in memory at most, and how many files. */
async function store(sizes: readonly number[], limit = LIMIT) {
  const room = new Room(limit);
  let [used, inside, most, atOnce] = [0, 0, 0, 0];
  await Promise.all(
    sizes.map(async (size) => {
      using place = await room.enter();
      inside += 1;
      atOnce = Math.max(atOnce, inside);
      for (let read = PIECE; read <= size; read += PIECE) {
        await place.need(read);
        used += PIECE;
        most = Math.max(most, used);
        await nextTurn();
      }
      place.settle(size);
      // It is stored.
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      used -= size;
      inside -= 1;
    }),
  );
  return { most, atOnce };
}

test("however large the files are, all are stored, and only one at a time exceeds the room", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 }), async (sizes) => {
      const { most } = await store(sizes);
      assert.ok(most <= LIMIT + Math.max(0, ...sizes), `${most} of files of ${sizes}`);
    }),
    { numRuns: 60 },
  );
});

test("files of one size fill the room and do not exceed it, once their size is known", async () => {
  const room = new Room(LIMIT);
  const places = [await room.enter()];
  await places[0]!.need(5);
  places[0]!.settle(5);
  places.pop()![Symbol.dispose]();
  for (let n = 0; n < 6; n++) places.push(await room.enter());
  let isInside = false;
  const seventh = room.enter().then((place) => {
    isInside = true;
    return place;
  });
  await nextTurn();
  assert.equal(isInside, false);
  places.pop()![Symbol.dispose]();
  await seventh;
});

test("until a first file has shown what files take, few enter", async () => {
  const room = new Room(LIMIT, 12);
  const places = [await room.enter(), await room.enter()];
  const others = [room.enter(), room.enter()];
  let entered = 0;
  for (const other of others) void other.then(() => entered++);
  await nextTurn();
  assert.equal(entered, 0);
  places[0]!.settle(2);
  places[0]![Symbol.dispose]();
  await Promise.all(others);
});

test("where the provider refuses every file, they soon do not wait for each other", async () => {
  const room = new Room(LIMIT, 12);
  for (let file = 0; file < 4; file++) (await room.enter())[Symbol.dispose]();
  let entered = 0;
  for (let file = 0; file < 16; file++) void room.enter().then(() => entered++);
  await nextTurn();
  assert.equal(entered, 16);
});

test("small files do not wait for each other", async () => {
  assert.equal((await store(Array(16).fill(2))).atOnce, 16);
});

test("a file that fails half-way gives its room back", async () => {
  const room = new Room(LIMIT);
  const fail = async () => {
    using place = await room.enter();
    await place.need(20);
    throw new Error("cut");
  };
  for (let n = 0; n < 5; n++) await assert.rejects(fail());
  const [one, other] = [await room.enter(), room.enter()];
  one[Symbol.dispose]();
  await other;
});

test("a file that is read again lets the others go first", async () => {
  const room = new Room(LIMIT);
  const [one, other] = [await room.enter(), await room.enter()];
  await one.need(10);
  await other.need(10);
  // The answer broke off: until it comes again, the other is the first, and may exceed the room.
  one.restart();
  await other.need(40);
  let isRead = false;
  const again = one.need(30).then(() => {
    isRead = true;
  });
  await nextTurn();
  assert.equal(isRead, false);
  other[Symbol.dispose]();
  await again;
});
