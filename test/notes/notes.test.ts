import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { NoteWriter } from "../../src/notes/store.ts";
import { placeHolds } from "../../src/retention/hold.ts";
import { openLog } from "../../src/session/open-log.ts";
import { beginWork } from "../../src/session/retention-work.ts";
import type { ObjectInfo } from "../../src/vault/vault.ts";
import { session } from "../crash/aftermath.ts";
import { makeAgeKey, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { ask, objectsOf } from "../retention/place.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";

const HOLD = { case: "AZ 17/26", reason: "inquiry of the prosecutor" };
const ASKED = { case: "2026-117", requestedBy: "Ada Auditor", reason: "a suspicion" };
const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

interface Verified {
  readonly problems: number;
  readonly notes: number;
  readonly orphans: number;
  readonly orphaned: readonly { readonly key: string }[];
  readonly found: readonly { readonly key: string; readonly what: string }[];
}

async function setUp(options: Parameters<typeof makeWorkplace>[1] = {}) {
  const sandbox = await startSandbox({ identities: 2, files: false });
  const place = await makeWorkplace(sandbox, options);
  await place.export();
  const subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  return {
    sandbox,
    place,
    subjects: subjects as [string, string],
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

const hold = (place: Workplace, what: "place" | "release", ...subjects: string[]) =>
  ask(
    place,
    0,
    ...["hold", what, "--case", HOLD.case, "--reason", HOLD.reason],
    ...subjects.flatMap((subject) => ["--subject", subject]),
  );

const retrieve = (place: Workplace, out: string, ...subjects: string[]) =>
  ask(
    place,
    0,
    ...["retrieve", "--case", ASKED.case, "--requested-by", ASKED.requestedBy, "--reason", ASKED.reason],
    ...subjects.flatMap((subject) => ["--subject", subject]),
    ...["--out", place.path(out)],
  );

async function notesOf(place: Workplace): Promise<ObjectInfo[]> {
  const vault = await place.vault();
  const found: ObjectInfo[] = [];
  for await (const { key, versionId } of vault.versions("notes/")) found.push(await vault.head(key, versionId));
  return found;
}

async function verified(place: Workplace, code = 0, ...args: string[]): Promise<Verified> {
  const [report] = await place.expect<Verified>(code, "verify", "--orphans", ...args);
  return report!;
}

const tables = async (
  place: Workplace,
  code: number,
  ...words: readonly [string, string, ...string[]]
): Promise<string> => {
  const ended = await place.here(words[0], words.slice(1));
  assert.equal(ended.code, code, ended.stderr);
  return ended.stdout;
};

/** A note whose words are others than its hold's entry commits to, as someone with the exporter's keys can write it. */
async function forge(place: Workplace, subject: string): Promise<void> {
  const all = await session(place);
  const [config] = all.clients;
  await using held = await openLog(config!, all, { job: "hold" });
  using work = beginWork(held, all, { what: "holds", failure: "hold not changed" });
  const token = held.tokens.case(HOLD.case);
  const commitment = held.tokens.commitment(HOLD.case, HOLD.reason);
  const notes = new NoteWriter(held, work.ledger);
  const note = (of: string) =>
    notes.store(of, commitment, { about: "hold", case: HOLD.case, reason: "a false reason" });
  await placeHolds(work, [subject], { token, commitment, note });
}

for (const vault of ["directory", "ceph"] as const) {
  describe(`sealed notes: ${vault}`, { skip: vault === "ceph" && withoutCeph }, () => {
    test("the officer's key shows case, reason and who asked; without it nothing does", async () => {
      await using at = await setUp({ vault });
      const { place, subjects } = at;
      await hold(place, "place", ...subjects);
      await retrieve(place, "bag", ...subjects);
      assert.equal((await notesOf(place)).length, 4, "one for each person and each time");
      const key = ["--key", place.officer.file];
      const holds = await tables(place, 0, "hold", "list", ...key);
      assert.match(holds, /"AZ 17\/26" +"inquiry of the prosecutor"/);
      assert.match(await tables(place, 0, "hold", "list", "--case", HOLD.case, ...key), /reason: "inquiry of the pros/);
      assert.match(
        await tables(place, 0, "retrieval", "list", ...key),
        /bag +2 +2 +0 +2026-117 +"Ada Auditor" +"a suspicion"/,
      );
      const { clients } = (await ask(place, 0, "retrieval", "list", "--key", place.escrow.file)) as {
        clients: { retrievals: { note: unknown }[] }[];
      };
      assert.deepEqual(clients[0]!.retrievals[0]!.note, ASKED);
      for (const words of [
        ["hold", "list"],
        ["retrieval", "list"],
      ] as const) {
        const text = await tables(place, 0, words[0], words[1]);
        for (const word of ["17/26", "prosecutor", "Ada", "2026-117"]) assert.ok(!text.includes(word), word);
      }
      const stranger = await makeAgeKey(place.path("stranger.txt"));
      const shut = await tables(place, 0, "hold", "list", "--key", stranger.file);
      assert.match(shut, /the note was not sealed to this key/);
      const report = await verified(place, 0, "--key", place.officer.file);
      assert.deepEqual([report.problems, report.notes, report.orphans], [0, 4, 0]);
    });

    test("a note's lock is that of the person's records, and follows them", async () => {
      await using at = await setUp({
        vault,
        client: { retention: { initialLock: "PT1H", extendWhenLessThan: "PT30M" } },
      });
      const { place, subjects } = at;
      const [one] = subjects;
      await hold(place, "place", one);
      const locks = async (): Promise<Set<string>> =>
        new Set([...(await objectsOf(place, one)), ...(await notesOf(place))].map(({ lock }) => String(lock?.until)));
      const first = await locks();
      assert.equal(first.size, 1);
      await place.configure({ retention: { initialLock: "PT2H", extendWhenLessThan: "PT90M" } });
      await place.expect(0, "retention", "extend");
      const [until, ...others] = [...(await locks())];
      assert.deepEqual(others, []);
      assert.ok(!first.has(until!));
      const [extended] = await place.entries("note.extended");
      assert.equal(extended!.lockedUntil, until);
      const today = Temporal.Now.plainDateISO("UTC").toString();
      await ask(place, 0, "relationship", "end", "--subject", one, "--date", today);
      assert.equal((await locks()).size, 1);
      assert.ok(!(await locks()).has(until!));
      assert.equal((await verified(place)).problems, 0);
    });

    test("a purge takes the notes last; certificate, verify and a new record know nothing wrong", async () => {
      await using at = await setUp({ vault, client: { retention: SHORT } });
      const { place, subjects } = at;
      await hold(place, "place", subjects[0]);
      await retrieve(place, "bag", ...subjects);
      const kept = await notesOf(place);
      await delay(2_100);
      await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("one"));
      const left = await notesOf(place);
      assert.deepEqual(
        left.map(({ key }) => key),
        kept.map(({ key }) => key).filter((key) => key.includes(subjects[0])),
        "what a hold keeps stays, with its notes",
      );
      assert.match(await tables(place, 0, "retrieval", "list", "--key", place.officer.file), /"Ada Auditor"/);
      await hold(place, "release", subjects[0]);
      const key = ["--key", place.officer.file];
      const said = /1 hold released\n.*\n {2}\S+ \S+ +1 +"AZ 17\/26" +"inquiry of the prosecutor"/;
      assert.match(await tables(place, 0, "hold", "list", ...key), said);
      assert.match(await tables(place, 0, "hold", "list", "--case", HOLD.case, ...key), said);
      assert.ok(!(await tables(place, 0, "hold", "list", "--case", "B 2", ...key)).includes("prosecutor"));
      // As a killed run leaves it.
      const stray = `notes/${subjects[0].slice(0, 2)}/${subjects[0]}/${"0".repeat(32)}.age`;
      await (await place.vault()).put(stray, new Uint8Array(8));
      const orphaned = (await verified(place)).orphaned.map(({ key: of }) => of);
      assert.deepEqual(orphaned, [stray]);
      const purged = await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("two"));
      assert.equal(purged.notes, 3);
      assert.deepEqual(await notesOf(place), []);
      assert.match(await tables(place, 0, "retrieval", "list", "--key", place.officer.file), /no note/);
      const report = await verified(place);
      assert.deepEqual([report.problems, report.notes, report.orphans], [0, 0, 0]);
      for (const folder of ["one", "two", "bag"]) await ask(place, 0, "verify", place.path(folder));
      await place.expect(0, "rebuild");
      assert.equal((await verified(place)).problems, 0);
    });
  });
}

test("a note that is not what the log commits to is reported, and its words are not shown", async () => {
  await using at = await setUp();
  const { place, subjects } = at;
  await forge(place, subjects[0]);
  const text = await tables(place, 4, "hold", "list", "--key", place.officer.file);
  assert.match(text, /the note is not what the log commits to/);
  assert.ok(!text.includes("a false reason"));
  await hold(place, "place", subjects[1]);
  assert.match(await tables(place, 0, "hold", "list", "--key", place.officer.file), /inquiry of the prosecutor/);
});

test("verify reports a note that is missing, changed, or named as purged while its person is kept", async () => {
  await using at = await setUp();
  const { place, subjects } = at;
  await hold(place, "place", ...subjects);
  const [one = assert.fail(), two = assert.fail()] = await place.entries("note.stored");
  const { vault } = await place.client();
  const root = vault.kind === "directory" ? vault.path : assert.fail();
  await rm(join(root, ".versions", one.note.key), { recursive: true });
  const versions = join(root, ".versions", two.note.key);
  const name = (await readdir(versions)).find((each) => !each.endsWith(".json"))!;
  const bytes = await readFile(join(versions, name));
  await rm(join(versions, name));
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(join(versions, name), bytes);
  const { found } = await verified(place, 4, "--read-data", "100");
  const said = found.map(({ key, what }) => `${key} ${what}`);
  assert.ok(said.includes(`${one.note.key} is missing`), said.join("\n"));
  assert.ok(said.includes(`${two.note.key} its content was changed`), said.join("\n"));
  const text = await tables(place, 4, "hold", "list", "--key", place.officer.file);
  assert.match(text, /the note (is missing|is not what the log commits to)/);
  {
    const all = await session(place);
    await using held = await openLog(all.clients[0]!, all, { job: "hold" });
    using work = beginWork(held, all, { what: "holds", failure: "hold not changed" });
    const { subject, note } = two;
    const notes = [{ key: note.key, versionId: note.versionId, versions: 1 }];
    await work.ledger.log({ type: "note.purged", subject, notes });
    await work.ledger.flush();
  }
  const after = await verified(place, 4);
  assert.ok(after.found.some(({ what }) => what.includes("but records of its person are kept")));
});

test("a bag holds neither the notes nor what the log says of them", async () => {
  await using at = await setUp();
  const { place, subjects } = at;
  await hold(place, "place", subjects[0]);
  await retrieve(place, "bag", subjects[0]);
  await ask(place, 0, "verify", place.path("bag"));
  const { stdout } = await promisify(execFile)("grep", [
    "-rlE",
    "note\\.(stored|extended)|notes/",
    place.path("bag"),
  ]).catch(() => ({ stdout: "" }));
  assert.equal(stdout, "");
});
