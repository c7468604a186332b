import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeBundle } from "../../src/audit/tile.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import { withRetry } from "../../src/vault/retry.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { withoutCeph } from "../servers/s3.ts";
import { QUICK } from "../vault/strict-vault.ts";
import { appendAll, type Desk, makeDesk, range } from "./desk.ts";
import { MemoryVault } from "./memory-vault.ts";
import { cephStore, directoryStore, type Store } from "./outside.ts";

const stores: [string, () => Promise<Store>, string | false][] = [
  ["a directory", () => directoryStore(), false],
  ["a directory without conditional writes", () => directoryStore({ ifNoneMatch: false, ifMatch: false }), false],
  ["Ceph", cephStore, withoutCeph],
];

const bundle = (from: number, to: number) => encodeBundle(range(from, to).map((text) => Buffer.from(text)));
const ENTRIES_17 = "audit/tile/entries/000.p/17";
const TILE_17 = "audit/tile/0/000.p/17";

/** A vault with another `put`. */
function at(vault: Vault, put: Vault["put"]): Vault {
  return new Proxy(vault, {
    get(target, name) {
      if (name === "put") return put;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const dead = () => Promise.reject(new HoldfastError("vault-denied", "killed"));

/** A desk with entries 0 to 9 in the log. */
async function begun(store: Store): Promise<Desk> {
  const desk = await makeDesk(store.vault, { conditional: store.conditional });
  await desk.write(0, 10);
  return desk;
}

/** The machine of `desk` has entries 10 to 16 in its journal and their pieces in the vault, but no checkpoint. */
async function died(desk: Desk): Promise<void> {
  const vault = at(desk.vault, (key, body, options) =>
    key === CHECKPOINT ? dead() : desk.vault.put(key, body, options),
  );
  const writer = await desk.open({ vault });
  await appendAll(writer, 10, 17);
  await assert.rejects(writer.flush(), { code: "vault-denied" });
  await writer.close();
}

for (const [name, open, skip] of stores) {
  describe(name, { skip }, () => {
    test("pieces that a dead writer left without a checkpoint do not block the next writer", async () => {
      await using store = await open();
      await using desk = await begun(store);
      await died(desk);
      assert.deepEqual(await store.versions(ENTRIES_17), [bundle(0, 17)]);
      const other = await desk.elsewhere({});
      await other.write(1010, 1017);
      const expected = encodeBundle([...range(0, 10), ...range(1010, 1017)].map((text) => Buffer.from(text)));
      // The old bytes still exist, as an earlier version.
      assert.deepEqual(await store.versions(ENTRIES_17), [expected, bundle(0, 17)]);
      assert.deepEqual(await store.shown(ENTRIES_17), expected);
      assert.equal((await store.versions(TILE_17)).length, 2);
      assert.ok(await store.lockedUntil(TILE_17));
      assert.deepEqual(await other.entries(), [...range(0, 10), ...range(1010, 1017)]);
      await other.checkHistory();
    });

    test("the same machine continues: it finds its own pieces, does not write them again, and locks them as long as new ones", async () => {
      await using store = await open();
      await using desk = await begun(store);
      await died(desk);
      const soon = await store.lockedUntil(ENTRIES_17);
      await (await desk.open()).close();
      assert.deepEqual(await desk.entries(), range(0, 17));
      for (const kept of await store.versions(ENTRIES_17)) assert.deepEqual(kept, bundle(0, 17));
      const until = await store.lockedUntil(ENTRIES_17);
      assert.ok(Date.parse(until!) >= Date.parse(soon!));
      await desk.checkHistory();
    });

    test("a put that is retried for minutes is not sent again after the lease is lost", async () => {
      await using store = await open();
      await using desk = await begun(store);
      let lost = false;
      const sent: string[] = [];
      const failing = at(store.vault, async (key, body, options) => {
        if (lost) sent.push(key);
        else {
          lost = true;
          await (await desk.elsewhere({})).write(1010, 1017);
          throw new HoldfastError("vault-unavailable", "no answer");
        }
        return store.vault.put(key, body, options);
      });
      const late = await desk.open({
        vault: withRetry(failing, { policy: QUICK }),
        holds: () => {
          if (lost) throw new HoldfastError("busy", "another machine took over the vault");
        },
      });
      await appendAll(late, 10, 17);
      // Not "forked": another machine may continue the log.
      await assert.rejects(late.flush(), { code: "busy" });
      await late.close();
      assert.deepEqual(
        sent.filter((key) => key === CHECKPOINT),
        [],
      );
      const expected = encodeBundle([...range(0, 10), ...range(1010, 1017)].map((text) => Buffer.from(text)));
      assert.deepEqual(await store.versions(ENTRIES_17), [expected]);
      assert.equal((await store.versions(TILE_17)).length, 1);
      assert.deepEqual(await desk.entries(), [...range(0, 10), ...range(1010, 1017)]);
    });

    test("pieces that a checkpoint covers are never replaced, even by the lease holder: forked", async () => {
      await using store = await open();
      await using desk = await begun(store);
      const { note } = (await desk.open()).head;
      await (await desk.elsewhere({})).write(10, 17);
      // Someone puts an earlier checkpoint on top, and a machine that never saw the log continues from there.
      await store.vault.put(CHECKPOINT, note);
      const stranger = await (await desk.elsewhere({})).open();
      await appendAll(stranger, 1010, 1017);
      await assert.rejects(stranger.flush(), { code: "forked", message: /had 17 entries/ });
      await stranger.close();
      assert.deepEqual(await store.versions(ENTRIES_17), [bundle(0, 17)]);
      assert.deepEqual((await store.versions(CHECKPOINT))[0], Buffer.from(note));
    });

    test("objects planted at the next pieces' keys do not block the log", async () => {
      await using store = await open();
      await using desk = await begun(store);
      await store.vault.put(ENTRIES_17, Buffer.alloc(20_000_000, "x"));
      await store.vault.put(TILE_17, Buffer.alloc(17 * 32));
      await desk.write(10, 17);
      assert.deepEqual(await desk.entries(), range(0, 17));
      assert.equal((await store.versions(TILE_17)).length, 2);
    });

    test("a leftover behind a delete marker does not matter", async (t) => {
      await using store = await open();
      if (!store.hide) return t.diagnostic("no delete markers here");
      await using desk = await begun(store);
      await died(desk);
      for (const key of [ENTRIES_17, TILE_17]) await store.hide(key);
      await (await desk.elsewhere({})).write(1010, 1017);
      assert.deepEqual(await desk.entries(), [...range(0, 10), ...range(1010, 1017)]);
    });

    test("every answer is lost once: the writer finds each piece, and each has one version", async () => {
      await using store = await open();
      const lost = new Set<string>();
      const vault = withRetry(
        at(store.vault, async (key, body, options) => {
          const stored = await store.vault.put(key, body, options);
          if (key === CHECKPOINT || lost.has(key)) return stored;
          lost.add(key);
          throw new HoldfastError("vault-unavailable", "no answer");
        }),
        { policy: QUICK },
      );
      await using desk = await makeDesk(store.vault, { conditional: store.conditional });
      await desk.write(0, 300, { vault });
      assert.deepEqual(await desk.entries(), range(0, 300));
      if (!store.conditional.ifNoneMatch) return;
      for (const key of lost) assert.equal((await store.versions(key)).length, 1, key);
    });
  });
}

describe("a put in progress when the lease is lost, on a store with create-only writes", () => {
  for (const [believes, code] of [
    [false, "busy"],
    [true, "forked"],
  ] as const) {
    test(`it arrives late and changes nothing; its writer ${believes ? "still believes it holds the lease" : "knows"}`, async () => {
      await using store = await directoryStore();
      await using desk = await begun(store);
      let lost = false;
      let overtaken: Promise<unknown> | undefined;
      const slow = at(store.vault, async (key, body, options) => {
        overtaken ??= (async () => {
          await (await desk.elsewhere({})).write(1010, 1017);
          lost = true;
        })();
        await overtaken;
        return store.vault.put(key, body, options);
      });
      const late = await desk.open({
        vault: slow,
        holds: () => {
          if (lost && !believes) throw new HoldfastError("busy", "lost");
        },
      });
      await appendAll(late, 10, 17);
      await assert.rejects(late.flush(), { code });
      await late.close();
      const expected = encodeBundle([...range(0, 10), ...range(1010, 1017)].map((text) => Buffer.from(text)));
      assert.deepEqual(await store.versions(ENTRIES_17), [expected]);
      assert.equal((await store.versions(TILE_17)).length, 1);
      assert.deepEqual(await desk.entries(), [...range(0, 10), ...range(1010, 1017)]);
    });
  }

  test("a leftover that another writer replaces first is not replaced again", async () => {
    await using store = await directoryStore();
    await using desk = await begun(store);
    await died(desk);
    let met = false;
    const slow = at(store.vault, async (key, body, options) => {
      if (key === ENTRIES_17 && options?.ifMatch !== undefined && !met) {
        met = true;
        await (await desk.elsewhere({})).write(1010, 1017);
      }
      return store.vault.put(key, body, options);
    });
    const late = await (await desk.elsewhere({})).open({ vault: slow });
    await appendAll(late, 2010, 2017);
    await assert.rejects(late.flush(), { code: "forked" });
    await late.close();
    assert.ok(met);
    assert.match(String(await store.shown(ENTRIES_17)), /r1016/);
    assert.deepEqual(await desk.entries(), [...range(0, 10), ...range(1010, 1017)]);
  });
});

test("an existing piece with too short a lock is locked in the end", async () => {
  await using store = await directoryStore();
  await using desk = await begun(store);
  await died(desk);
  const short = { mode: "governance", until: Temporal.Now.instant().add({ hours: 1 }) } as const;
  const key = "audit/tile/entries/000.p/18";
  await store.vault.put(key, bundle(0, 18), { lock: { ...short, until: short.until.round("second") } });
  await desk.write(17, 18);
  assert.ok(Date.parse((await store.lockedUntil(key))!) > Date.now() + 80 * 86_400_000);
});

test("after a failure no put starts and none arrives later: the error is thrown when all have ended", async () => {
  const memory = new MemoryVault();
  await using desk = await makeDesk(memory, { batch: 1024 });
  const begunKeys: string[] = [];
  let under = 0;
  const open = Promise.withResolvers<void>();
  const vault = at(memory, async (key, body, options) => {
    begunKeys.push(key);
    under += 1;
    try {
      if (begunKeys.length === 3) throw new HoldfastError("vault-denied", "no");
      if (begunKeys.length === 8) setImmediate(open.resolve);
      await open.promise;
      return await memory.put(key, body, options);
    } finally {
      under -= 1;
    }
  });
  const writer = await desk.open({ vault, batch: 1 << 20 });
  await appendAll(writer, 0, 3000);
  await assert.rejects(writer.flush(), { code: "vault-denied" });
  assert.equal(under, 0);
  const count = begunKeys.length;
  assert.ok(count <= 8, `${count} puts were started`);
  await writer.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(begunKeys.length, count);
});

test("on a store with create-only writes, a piece takes one request", async () => {
  const memory = new MemoryVault();
  await using desk = await makeDesk(memory);
  const asked: string[] = [];
  const vault = new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (String(args[0]).startsWith("audit/tile")) asked.push(`${String(name)} ${args[0]}`);
        return value.apply(target, args);
      };
    },
  });
  await desk.write(0, 700, { vault, batch: 1024 });
  assert.deepEqual(asked.sort(), [...new Set(asked)].sort());
  assert.ok(asked.every((call) => call.startsWith("put ")));
  assert.equal(asked.length, memory.keys("audit/tile").length);
});
