import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Entry, encodeEntry } from "../../src/audit/entry.ts";
import { Journal } from "../../src/audit/journal.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { JournalCheck } from "../../src/verify/journal.ts";
import type { Problem } from "../../src/verify/problem.ts";
import { withoutCeph } from "../servers/s3.ts";
import { appendAll, bytesOf, type Desk, entry, makeDesk, range } from "./desk.ts";
import { dying, MemoryVault } from "./memory-vault.ts";
import { cephStore, directoryStore, type Store } from "./outside.ts";

const text = (value: Entry): string => Buffer.from(encodeEntry(value)).toString();
const journalOf = (desk: Desk): Promise<string[]> => readdir(join(desk.state, "journal"));

/** The machine of `desk` journals these entries and dies before its first put. */
async function dies(desk: Desk, entries: readonly Entry[], vault: Vault = desk.vault): Promise<void> {
  const writer = await desk.open({ vault: dying(vault, 0, "before"), batch: 1 << 20 });
  for (const each of entries) await writer.append(each);
  await assert.rejects(writer.flush(), { code: "vault-unavailable" });
  await writer.close();
}

async function goesOn(desk: Desk, entries: readonly Entry[]): Promise<void> {
  const writer = await desk.open();
  for (const each of entries) await writer.append(each);
  await writer.flush();
  await writer.close();
}

const numbered = (from: number, to: number): Entry[] => Array.from({ length: to - from }, (_, n) => entry(from + n));

const stores: [string, () => Promise<Store>, string | false][] = [
  ["a directory", () => directoryStore(), false],
  ["Ceph", cephStore, withoutCeph],
];
for (const [name, open, skip] of stores) {
  for (const [what, mine, others] of [
    ["longer", 4, 7],
    ["shorter", 7, 4],
    ["as long", 5, 5],
    ["more than a tile longer", 300, 600],
    ["more than a tile shorter", 600, 270],
  ] as const) {
    test(`a machine comes back after another continued the log, which wrote ${what}: ${name}`, { skip }, async () => {
      await using store = await open();
      await using desk = await makeDesk(store.vault, { conditional: store.conditional });
      await desk.write(0, 10);
      await dies(desk, numbered(10, 10 + mine));
      const other = await desk.elsewhere({});
      await other.write(5000, 5000 + others);
      const back = await desk.open();
      assert.equal(back.continued, true);
      const all = [...range(0, 10), ...range(5000, 5000 + others), ...range(10, 10 + mine)];
      assert.equal(back.size, all.length);
      await back.append(entry(9999));
      await back.flush();
      await back.close();
      assert.deepEqual(await desk.entries(), [...all, bytesOf(9999)]);
      await desk.checkHistory();
      assert.deepEqual(await journalOf(desk), []);
      // Then the other one again: it has no entries of its own and sees one history.
      await other.write(6000, 6001);
      assert.deepEqual(await desk.entries(), [...all, bytesOf(9999), bytesOf(6000)]);
    });
  }
}

test("if part of the journal was logged before, only the rest is logged again", async () => {
  await using desk = await makeDesk(new MemoryVault());
  await desk.write(0, 10);
  await dies(desk, numbered(10, 16));
  // A copy of the machine's state, like a snapshot, that continued first.
  const copy = await desk.elsewhere({});
  await cp(join(desk.state, "journal"), join(copy.state, "journal"), { recursive: true });
  await cp(join(desk.state, "checkpoint"), join(copy.state, "checkpoint"));
  await copy.write(5000, 5003);
  await (await desk.open()).close();
  assert.deepEqual(await desk.entries(), [...range(0, 16), ...range(5000, 5003)]);
});

describe("killed while logging again", () => {
  test("at any write, whether it arrived or not: in the end each entry exists once", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(8), fc.constantFrom("before" as const, "after" as const)), { maxLength: 3 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      fc.boolean(),
      async (kills, mine, others, ifMatch) => {
        const vault = new MemoryVault();
        await using desk = await makeDesk(vault, { conditional: { ifNoneMatch: ifMatch, ifMatch } });
        await desk.write(0, 5);
        await dies(desk, numbered(5, 5 + mine));
        const other = await desk.elsewhere({});
        await other.write(5000, 5000 + others);
        for (const [at, fault] of kills) {
          const writer = await desk.open({ vault: dying(vault, at, fault) }).catch(() => undefined);
          await writer?.close();
        }
        await (await desk.open()).close();
        const expected = [...range(0, 5), ...range(5000, 5000 + others), ...range(5, 5 + mine)];
        assert.deepEqual(await desk.entries(), expected);
        await desk.checkHistory();
        assert.deepEqual(await journalOf(desk), []);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  test("between the checkpoint and the journal's release, and during the release: nothing is logged twice", async () => {
    await using desk = await makeDesk(new MemoryVault());
    await desk.write(0, 10);
    await dies(desk, numbered(10, 13));
    // A second segment, as a run that was killed later leaves it.
    const journal = new Journal(join(desk.state, "journal"));
    await journal.recover();
    for (let n = 13; n < 16; n++) await journal.append({ index: n, bytes: encodeEntry(entry(n)) });
    await journal.close();
    assert.deepEqual((await journalOf(desk)).sort(), ["10.jsonl", "13.jsonl"]);
    await (await desk.elsewhere({})).write(5000, 5009);
    const before = await mkdtemp(join(tmpdir(), "holdfast-before-"));
    await cp(desk.state, before, { recursive: true });
    await (await desk.open()).close();
    const all = [...range(0, 10), ...range(5000, 5009), ...range(10, 16)];
    for (const gone of [[], ["10.jsonl"]]) {
      await rm(desk.state, { recursive: true });
      await cp(before, desk.state, { recursive: true });
      for (const segment of gone) await rm(join(desk.state, "journal", segment));
      await (await desk.open()).close();
      assert.deepEqual(await desk.entries(), all);
      assert.deepEqual(await journalOf(desk), []);
    }
    await rm(before, { recursive: true });
  });

  test("while releasing the journal, before remembering the new head", async () => {
    const memory = new MemoryVault();
    await using desk = await makeDesk(memory);
    await desk.write(0, 10);
    await dies(desk, numbered(10, 13));
    await (await desk.elsewhere({})).write(5000, 5009);
    const [journal, aside] = [join(desk.state, "journal"), join(desk.state, "aside")];
    const vault = Object.assign(memory.copy(), {
      put: async (...args: Parameters<Vault["put"]>) => {
        const stored = await memory.put(...args);
        // From now on the journal cannot be written.
        if (args[0] === CHECKPOINT) await rename(journal, aside);
        return stored;
      },
    });
    await assert.rejects(desk.open({ vault }), { code: "state" });
    await rename(aside, journal);
    await (await desk.open()).close();
    assert.deepEqual(await desk.entries(), [...range(0, 10), ...range(5000, 5009), ...range(10, 13)]);
  });
});

test("entries covered by a checkpoint that this machine saw are not logged again: forked", async () => {
  await using desk = await makeDesk(new MemoryVault());
  await desk.write(0, 20);
  const journal = new Journal(join(desk.state, "journal"));
  await journal.recover();
  await journal.append({ index: 19, bytes: encodeEntry(entry(500)) });
  await journal.append({ index: 20, bytes: encodeEntry(entry(20)) });
  await journal.close();
  await assert.rejects(desk.open(), { code: "forked" });
  assert.deepEqual(await desk.entries(), range(0, 20));
});

test("a forged tile or bundle does not count as already logged, and is not signed again", async () => {
  const memory = new MemoryVault();
  await using desk = await makeDesk(memory);
  await desk.write(0, 10);
  const subject = "a".repeat(32);
  await dies(desk, [ended(subject, "r1")]);
  await goesOn(await desk.elsewhere({}), [reopened(subject, "q2"), ...numbered(1000, 1300)]);
  const lying = memory.copy();
  const { bytes } = await lying.read("audit/tile/entries/000", 1 << 20);
  const forged = Buffer.from(bytes);
  forged.write("q9", forged.lastIndexOf("q2"));
  await lying.put("audit/tile/entries/000", forged);
  await assert.rejects((await desk.elsewhere({ vault: lying, state: desk.state })).open(), { code: "unverified" });
  assert.equal((await journalOf(desk)).length, 1);
  await (await desk.open()).close();
  assert.deepEqual((await desk.entries()).slice(311), [text(ended(subject, "r1")), text(reopened(subject, "q2"))]);
});

const common = (run: string) => ({ time: "2026-11-23T10:15:00.000Z", run });
const ended = (subject: string, run: string): Entry =>
  ({ type: "relationship.ended", ...common(run), subject, ended: "2026-10-31" }) as Entry;
const reopened = (subject: string, run: string): Entry =>
  ({ type: "relationship.reopened", ...common(run), subject }) as Entry;
const hold = (type: "hold.placed" | "hold.released", subject: string, run: string): Entry =>
  ({
    ...{ type, ...common(run), subject, case: "c".repeat(32), commitment: "d".repeat(64) },
    ...(type === "hold.placed" ? { objects: [] } : {}),
  }) as unknown as Entry;
const stored = (subject: string, run: string, versionId: string): Entry =>
  ({
    ...{ type: "record.stored", ...common(run), subject, version: "20210910T045710Z-d27fc64597d2" },
    updated: "2021-09-10T04:57:10Z",
    object: {
      key: `records/${subject.slice(0, 2)}/${subject}/20210910T045710Z-d27fc64597d2.age`,
      ...{ versionId, size: 1, sha256: "e".repeat(64) },
    },
    ...{ files: [], withheld: 0, recipients: ["52e76b10b9ed65fc"], lockedUntil: "2040-01-01T00:00:00Z", lookups: {} },
  }) as unknown as Entry;

describe("the last statement stays last", () => {
  const subject = "a".repeat(32);
  const bystander = "b".repeat(32);

  async function overtaken(
    mine: readonly Entry[],
    others: readonly Entry[],
    check: (catalog: Catalog, entries: string[]) => void,
  ): Promise<void> {
    await using desk = await makeDesk(new MemoryVault());
    await goesOn(desk, [stored(subject, "r0", "00000001"), stored(bystander, "r0", "00000001")]);
    await dies(desk, mine);
    await goesOn(await desk.elsewhere({}), others);
    const writer = await desk.open();
    const catalog = await openCatalog(join(desk.state, "catalog.sqlite"), writer.signed);
    try {
      check(catalog, (await desk.entries()).slice(2));
    } finally {
      catalog.close();
      await writer.close();
    }
  }

  test("the end of a relationship that another machine withdrew meanwhile", () =>
    overtaken([ended(subject, "r1")], [reopened(subject, "r2"), ended(bystander, "r2")], (catalog, entries) => {
      assert.equal(catalog.relationships.ended(subject), undefined);
      assert.equal(catalog.relationships.ended(bystander), "2026-10-31");
      // Nothing about others is repeated.
      assert.deepEqual(
        entries,
        [reopened(subject, "r2"), ended(bystander, "r2"), ended(subject, "r1"), reopened(subject, "r2")].map(text),
      );
    }));

  test("a released hold that another machine has placed since", () =>
    overtaken([hold("hold.released", subject, "r1")], [hold("hold.placed", subject, "r2")], (catalog) => {
      assert.equal(catalog.holds.of(subject).length, 1);
    }));

  test("a record that another machine stored again, on a store without create-only writes", () =>
    overtaken([stored(subject, "r1", "00000002")], [stored(subject, "r2", "00000003")], (catalog) => {
      const key = `records/aa/${subject}/20210910T045710Z-d27fc64597d2.age`;
      assert.equal(catalog.objects.version(key), "00000003");
    }));

  test("a purge that was never in the log has not begun", () => {
    const keys = [`records/aa/${subject}/20210910T045710Z-d27fc64597d2.age`];
    const purge = { type: "purge.begun", ...common("r1"), subject, keys } as Entry;
    return overtaken([purge, entry(7)], [entry(8)], (catalog, entries) => {
      assert.deepEqual(catalog.purges.unfinished(), []);
      assert.deepEqual(entries, [bytesOf(8), bytesOf(7)]);
    });
  });
});

describe("how verify checks the journal", () => {
  async function checked(desk: Desk, seen: number): Promise<{ problems: Problem[]; waiting: number }> {
    const log = desk.log();
    const head = await log.head();
    const problems: Problem[] = [];
    const path = join(desk.state, "journal");
    const entries = await new Journal(path).inspect();
    const check = new JournalCheck({ path, entries, seen }, head, (found) => problems.push(found));
    for await (const { index, bytes } of log.entries(0, head.size)) check.check(index, bytes);
    return { problems, waiting: check.end() };
  }

  test("an overtaken journal waits and is not a problem; a covered entry that differs is a problem", async () => {
    await using desk = await makeDesk(new MemoryVault());
    await desk.write(0, 10);
    await dies(desk, numbered(10, 14));
    assert.deepEqual(await checked(desk, 10), { problems: [], waiting: 4 });
    await (await desk.elsewhere({})).write(5000, 5002);
    assert.deepEqual(await checked(desk, 10), { problems: [], waiting: 4 });
    const { problems, waiting } = await checked(desk, 11);
    assert.deepEqual([problems.map((found) => found.entry), waiting], [[10], 3]);
    await (await desk.open()).close();
    assert.deepEqual(await checked(desk, 16), { problems: [], waiting: 0 });
  });
});

test("a log truncated below the journal is another history, no matter who wrote since", async () => {
  const memory = new MemoryVault();
  await using desk = await makeDesk(memory);
  const { note } = await desk.write(0, 10);
  await desk.write(10, 20);
  await dies(desk, numbered(20, 22));
  await memory.put(CHECKPOINT, note);
  await assert.rejects(desk.open(), { code: "forked" });
  // Its last checkpoint is lost too.
  await rm(join(desk.state, "checkpoint"));
  await assert.rejects(desk.open(), { code: "forked" });
  assert.equal((await journalOf(desk)).length, 1);
});

test("the first machine to come back logs again while the second waits, and neither loses anything", async () => {
  await using desk = await makeDesk(new MemoryVault());
  await desk.write(0, 10);
  const second = await desk.elsewhere({});
  await (await second.open()).close();
  await dies(desk, numbered(10, 14));
  await dies(second, numbered(600, 603));
  await (await desk.elsewhere({})).write(5000, 5002);
  const writer = await second.open();
  await appendAll(writer, 700, 701);
  await writer.flush();
  await writer.close();
  await (await desk.open()).close();
  const all = [...range(0, 10), ...range(5000, 5002), ...range(600, 603), ...range(700, 701), ...range(10, 14)];
  assert.deepEqual(await desk.entries(), all);
});
