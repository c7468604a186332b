import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { extendAll } from "../../jobs/retention.ts";
import { verify } from "../../jobs/verify.ts";
import { setLock } from "../../src/retention/set-lock.ts";
import { session } from "../crash/aftermath.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { makeStrictPlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";
import { Tsa } from "../servers/tsa.ts";
import { strictVault } from "../vault/strict-vault.ts";

/** The metadata on disk of everything that is not a record or file: locks by path. */
async function logLocks(place: Workplace): Promise<Map<string, { mode: string; until: string }>> {
  const root = place.path("vault", CLIENT, ".versions");
  const found = new Map<string, { mode: string; until: string }>();
  for (const name of await readdir(root, { recursive: true })) {
    if (!/^(audit\/|vault\.json\/).*\d{8}\.json$/.test(name)) continue;
    found.set(name, JSON.parse(await readFile(join(root, name), "utf8")).lock);
  }
  return found;
}

const inDays = (days: number) => () => Temporal.Now.instant().add({ hours: 24 * days });

test("after initialLock is shortened, no part of the log becomes unlocked: the earliest lock decides when all are due", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, {
    client: { retention: { initialLock: "P90D", extendWhenLessThan: "P20D" } },
  });
  await exportClients(await session(place), {});
  await place.configure({ retention: { initialLock: "P30D" } });
  sandbox.change([0]);
  await exportClients(await session(place), {});
  const before = await logLocks(place);
  const ends = [...before.values()].map(({ until }) => Date.parse(until)).sort((a, b) => a - b);
  assert.ok(ends.at(-1)! - ends[0]! > 50 * 86_400_000, "long and short locks are mixed");
  // Nothing is due yet.
  assert.equal((await extendAll({ ...(await session(place)), now: inDays(5) }))[0]!.pieces, 0);
  assert.deepEqual(await logLocks(place), before);
  // The newer parts have less than 20 days left, the first checkpoint has 75.
  const [locks] = await extendAll({ ...(await session(place)), now: inDays(15) });
  assert.ok(locks!.pieces > 0);
  const soon = inDays(15)().add({ hours: 24 * 20 });
  for (const [piece, { until }] of await logLocks(place)) {
    assert.ok(Temporal.Instant.compare(until, soon) > 0, `${piece} ends ${until}`);
    const was = before.get(piece);
    if (was) assert.ok(Temporal.Instant.compare(until, was.until) >= 0, `${piece} was shortened`);
  }
});

/** Shortens a lock on the disk, like someone who has the right to. */
async function shorten(place: Workplace, days: number): Promise<void> {
  const tiles = [...(await logLocks(place)).keys()].filter((name) => /tile\/0/.test(name));
  for (const tile of tiles) {
    const path = place.path("vault", CLIENT, ".versions", tile);
    const note = JSON.parse(await readFile(path, "utf8"));
    note.lock.until = String(inDays(days)().round({ smallestUnit: "second" }));
    await writeFile(path, JSON.stringify(note));
  }
}

test("any one part whose lock ends early makes the whole log due: at once if nothing is remembered", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, {});
  await exportClients(await session(place), {});
  await shorten(place, 10);
  await rm(place.path("state", CLIENT, "catalog.sqlite"));
  assert.ok((await extendAll(await session(place)))[0]!.pieces > 0);
  for (const [piece, { until }] of await logLocks(place))
    assert.ok(Temporal.Instant.compare(until, inDays(80)()) > 0, piece);
});

test("a shortened lock is extended within 30 nights, and verify reports it regardless of what is remembered", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, {});
  await exportClients(await session(place), {});
  await extendAll(await session(place));
  await shorten(place, -1);
  const [report] = await verify(await session(place), { readData: 0 });
  assert.ok(report!.found.some(({ key, what }) => /tile\/0/.test(key) && /is not locked/.test(what)));
  await shorten(place, 10);
  let nights = 0;
  for (let pieces = 0; pieces === 0 && nights <= 30; nights++)
    pieces = (await extendAll(await session(place)))[0]!.pieces;
  assert.ok(nights <= 30, "no one noticed");
  for (const [piece, { until }] of await logLocks(place))
    assert.ok(Temporal.Instant.compare(until, inDays(80)()) > 0, piece);
});

test("a night with nothing due checks few locks; if the memory is lost, one night checks all", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { place, s3 } = opened;
  // Each night writes some parts.
  for (let night = 0; night < 12; night++) {
    sandbox.change([0]);
    s3.forget();
    await place.export();
    const again = s3.requests.GetObjectRetention ?? 0;
    // It need not ask about those that it has just written: only about a thirtieth of what is remembered. The first night
    // after the first run asks about those of `init`.
    if (night > 1 && night < 5) assert.ok(again <= 2, `${again} were asked for in night ${night}`);
  }
  const asked = async (): Promise<number> => {
    s3.forget();
    const [locks] = await extendAll(await place.session());
    assert.deepEqual([locks!.objects, locks!.pieces], [0, 0]);
    return s3.requests.GetObjectRetention ?? 0;
  };
  await asked();
  const vault = await place.work.vault();
  let pieces = 0;
  for await (const { key } of vault.versions("")) pieces += /^(audit\/|vault\.json)/.test(key) ? 1 : 0;
  await vault.close();
  assert.ok(pieces > 40, `${pieces} pieces`);
  const few = await asked();
  assert.ok(few > 0 && few <= Math.ceil(pieces / 30), `${few} of ${pieces} were asked for`);
  await rm(place.work.path("state", CLIENT, "catalog.sqlite"));
  assert.ok((await asked()) >= pieces - 1);
  assert.ok((await asked()) <= Math.ceil(pieces / 30));
  // Within a month each was checked once more.
  let all = 0;
  for (let night = 0; night < 30; night++) all += await asked();
  assert.ok(all >= pieces, `${all} of ${pieces}`);
});

test("a first run long after init locks what init wrote, whose locks have ended", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, {});
  await exportClients({ ...(await session(place)), now: inDays(100) }, {});
  const locks = await logLocks(place);
  assert.ok([...locks.keys()].some((name) => name.startsWith("vault.json/")));
  for (const [piece, { until }] of locks)
    assert.ok(Temporal.Instant.compare(until, inDays(180)()) > 0, `${piece} ends ${until}`);
});

test("with a cooling-off period a time stamp is first locked in governance mode, like everything else", async () => {
  await using tsa = await Tsa.start();
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox, {
    client: {
      vault: { lock: "compliance" },
      retention: { coolingOff: "P7D" },
      log: { timestamps: { url: tsa.url, ca: `file:${tsa.ca}` } },
    },
  });
  await exportClients(await session(place), {});
  const locks = await logLocks(place);
  assert.ok([...locks.keys()].some((name) => name.startsWith("audit/timestamp/")));
  for (const [piece, { mode }] of locks) assert.equal(mode, "governance", piece);
});

test("hardening never shortens a lock, although the right it needs would allow it", async () => {
  await using strict = await strictVault();
  const until = (days: number) => inDays(days)().round({ smallestUnit: "second", roundingMode: "ceil" });
  const { key, versionId } = await strict.vault.put("records/aa/a.age", Buffer.from("kept"), {
    lock: { mode: "governance", until: until(90) },
  });
  const lock = { mode: "compliance", until: until(30) } as const;
  assert.equal(await setLock(strict.vault, key, versionId, lock, { harden: true, pauses: [] }), "compliance");
  const is = (await strict.vault.head(key)).lock!;
  assert.equal(is.mode, "compliance");
  assert.ok(Temporal.Instant.compare(is.until, inDays(89)()) > 0, `shortened to ${is.until}`);
});

test("the log in a strict store is hardened and extended without shortening any part", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { work } = opened.place;
  await work.configure({
    vault: { lock: "compliance" },
    retention: { coolingOff: "P7D", initialLock: "P90D", extendWhenLessThan: "P20D" },
  });
  await opened.place.export();
  const vault = await work.vault();
  const locks = async () => {
    const found = new Map<string, Temporal.Instant>();
    for await (const { key, versionId } of vault.versions("audit/"))
      found.set(`${key} ${versionId}`, (await vault.lockOf(key, versionId))!.until);
    return found;
  };
  await work.configure({ retention: { initialLock: "P30D" } });
  sandbox.change([0]);
  await opened.place.export();
  const before = await locks();
  await extendAll(await opened.place.session({ now: inDays(15) }));
  for (const [piece, until] of await locks()) {
    const was = before.get(piece);
    if (was) assert.ok(Temporal.Instant.compare(until, was) >= 0, `${piece}: ${was} became ${until}`);
  }
  await vault.close();
});
