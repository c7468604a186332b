import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import PQueue from "p-queue";
import { exportClients } from "../../jobs/export.ts";
import { placeHold, releaseHold } from "../../jobs/hold.ts";
import { purge } from "../../jobs/purge.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { verify } from "../../jobs/verify.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { noteFolder } from "../../src/vault/layout.ts";
import { destroyedKeys } from "../certificate/certificate-forms.ts";
import { session } from "../crash/aftermath.ts";
import { middleOfEach, namesIn } from "../crash/moments.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { objectsOf } from "./place.ts";

const HOOK = join(import.meta.dirname, "../crash/hook.ts");
const HOLD = { case: "AZ 1/26", reason: "an inquiry" };
const NO_ONE = { identities: [], emails: [], references: [] };

interface Scenario {
  /** Whether it is killed at what every command writes alike, too. */
  readonly isWhole?: boolean;
  readonly retention: object;
  /** Runs before the command that is killed. */
  prepare(place: Workplace, subjects: readonly string[]): Promise<void>;
  args(place: Workplace, subjects: readonly string[]): readonly [command: string, ...args: string[]];
  /** What must be true right after the kill, given the log in the vault. */
  killed(place: Workplace, what: string): Promise<void>;
  /** Runs it again without a kill, and checks the result. */
  again(place: Workplace, subjects: readonly string[], what: string): Promise<void>;
}

async function findsNothing(place: Workplace, what: string): Promise<void> {
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.deepEqual(report!.found, [], what);
  // One note that was stored and not logged stays until its person is purged: the next attempt stores its own.
  const orphaned = report!.orphaned ?? [];
  assert.deepEqual(orphaned.filter(isNoNote), [], what);
  assert.ok(orphaned.length <= 1, what);
}

const isNoNote = ({ key }: { readonly key: string }): boolean => !key.startsWith("notes/");

/** Records and files match the log. After a crash, the log's newest part may be unlocked until the next run. */
async function recordsAreWhole(place: Workplace, what: string): Promise<void> {
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.deepEqual(
    report!.found.filter(({ key }) => !key.startsWith("audit/")),
    [],
    what,
  );
  // The log's entries about notes may still be in this machine's journal.
  assert.deepEqual((report!.orphaned ?? []).filter(isNoNote), [], what);
}

async function notesOf(place: Workplace, subject: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of (await place.vault()).versions(noteFolder(subject))) keys.push(key);
  return keys;
}

/** What was placed or released has its words, in a note that the log named before. */
async function everyHoldHasItsNote(place: Workplace, what: string): Promise<void> {
  const told = new Set<string>();
  for (const entry of await place.entries()) {
    if (entry.type === "note.stored") told.add(`${entry.subject} ${entry.commitment}`);
    else if (entry.type === "hold.placed" || entry.type === "hold.released")
      assert.ok(told.has(`${entry.subject} ${entry.commitment}`), what);
  }
}

/** Writes that every command makes alike: of its lease, and of the log's pieces below the checkpoint. */
const ALIKE = /^(before|after) (link|rename) (lease|tile|tile\/entries)$/;

/**
 * Kills it in the middle of each kind of write, then runs it again. What every command writes alike is left to the purge
 * here, and to the export in test/crash.
 */
async function killEverywhere(sandbox: Sandbox, scenario: Scenario): Promise<void> {
  await using prepared = await makeWorkplace(sandbox, { client: { retention: scenario.retention } });
  await exportClients(await session(prepared), {});
  const subjects = await Promise.all(sandbox.ids().map((id) => prepared.subject(id)));
  await scenario.prepare(prepared, subjects);
  const ready = async () => ({ place: await prepared.copy(), subjects });
  const run = async ({ place, subjects }: { place: Workplace; subjects: string[] }, env: Record<string, string>) => {
    const [command, ...args] = scenario.args(place, subjects);
    return place.holdfast(command, args, { node: ["--import", HOOK], env });
  };
  const traced = await ready();
  await using _ = traced.place;
  const trace = traced.place.path("moments");
  assert.equal((await run(traced, { HOLDFAST_CRASH_TRACE: trace })).code, 0);
  const names = namesIn(await readFile(trace, "utf8"));
  const chosen = middleOfEach(names, scenario.isWhole ? [] : names.filter((name) => ALIKE.test(name)));
  assert.ok(chosen.length > 10);
  const kill = async ({ what, env }: (typeof chosen)[number]): Promise<void> => {
    const made = await ready();
    await using place = made.place;
    assert.equal((await run(made, env)).signal, "SIGKILL", what);
    await scenario.killed(place, what);
    await scenario.again(place, made.subjects, what);
    await findsNothing(place, what);
  };
  const queue = new PQueue({ concurrency: 2 });
  const ends = await Promise.allSettled(chosen.map((at) => queue.add(() => kill(at))));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

test("a purge killed anywhere: verify knows why something is gone, and the next purge completes it", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await killEverywhere(sandbox, {
    isWhole: true,
    retention: { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" },
    prepare: async (place, subjects) => {
      await placeHold(await session(place), { ...HOLD, ...NO_ONE, subjects: [subjects[0]!] });
      for (const subject of subjects.slice(1)) {
        await placeHold(await session(place), { ...HOLD, ...NO_ONE, case: "AZ 2/26", subjects: [subject] });
        await releaseHold(await session(place), { ...HOLD, ...NO_ONE, case: "AZ 2/26", subjects: [subject] });
      }
      // Real locks end by the clock.
      await delay(2_100);
    },
    args: (place) => ["retention", "purge", "--confirm", "--out", place.path("destroyed")],
    killed: recordsAreWhole,
    again: async (place, [held, ...others], what) => {
      await purge(await session(place), place.path("destroyed-again"));
      for (const subject of others) {
        assert.deepEqual(await objectsOf(place, subject), [], what);
        assert.deepEqual(await notesOf(place, subject), [], what);
      }
      assert.equal((await notesOf(place, held!)).length, 1, what);
      assert.ok((await objectsOf(place, held!)).length >= 1, what);
      const keys = (await place.entries("record.purged")).flatMap(({ objects }) => objects.map(({ key }) => key));
      assert.equal(new Set(keys).size, keys.length, `${what}: purged twice`);
      const stored = (await place.entries("record.stored")).filter(({ subject }) => subject !== held);
      assert.deepEqual(
        new Set(keys),
        new Set(stored.flatMap(({ object, files }) => [object.key, ...files.map(({ key }) => key)])),
        what,
      );
      // Including what the killed run destroyed: in its own certificate, if it got that far, or in the next one's.
      const certified = ["destroyed", "destroyed-again"].map((name) => place.path(name)).filter(existsSync);
      const named = await Promise.all(certified.map(destroyedKeys));
      for (const each of named) assert.equal(new Set(each).size, each.length, `${what}: certified twice`);
      assert.deepEqual(new Set(named.flat()), new Set(keys), what);
      for (const folder of certified) assert.equal((await checkCertificate(folder)).ledThere, "checked", what);
      const [summary] = await exportClients(await session(place), {});
      assert.deepEqual([summary!.new, summary!.past], [0, others.length], what);
    },
  });
});

test("placing a hold is killed: the log promises only existing holds, and a second attempt completes it", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await killEverywhere(sandbox, {
    retention: {},
    prepare: async () => {},
    args: (_, subjects) => [
      ...(["hold", "place", "--case", HOLD.case, "--reason", HOLD.reason] as const),
      ...subjects.flatMap((subject) => ["--subject", subject]),
    ],
    killed: async (place, what) => {
      const vault = await place.vault();
      for (const { key, versionId } of (await place.entries("hold.placed")).flatMap(({ objects }) => objects))
        assert.ok((await vault.head(key, versionId)).hold, what);
      await recordsAreWhole(place, what);
    },
    again: async (place, subjects, what) => {
      await placeHold(await session(place), { ...HOLD, ...NO_ONE, subjects });
      for (const subject of subjects) for (const { hold } of await objectsOf(place, subject)) assert.ok(hold, what);
      await everyHoldHasItsNote(place, what);
    },
  });
});

test("releasing a hold is killed: after a second attempt nothing stays held without a case", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await killEverywhere(sandbox, {
    retention: {},
    prepare: async (place, subjects) => void (await placeHold(await session(place), { ...HOLD, ...NO_ONE, subjects })),
    args: () => ["hold", "release", "--case", HOLD.case, "--reason", HOLD.reason],
    killed: recordsAreWhole,
    again: async (place, subjects, what) => {
      await releaseHold(await session(place), { ...HOLD, ...NO_ONE, subjects });
      // If a crash left a checkpoint without its lock, the next night's checkpoint replaces it.
      await exportClients(await session(place), {});
      for (const subject of subjects) for (const { hold } of await objectsOf(place, subject)) assert.ok(!hold, what);
      await everyHoldHasItsNote(place, what);
    },
  });
});

test("ending a relationship is killed: a second attempt, or the next night, locks everything until the date", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  const date = Temporal.Now.plainDateISO("UTC").toString();
  const final = Temporal.PlainDate.from(date)
    .add({ years: 5 })
    .add({ days: 1 })
    .toZonedDateTime("UTC")
    .add({ hours: 12 })
    .toInstant();
  await killEverywhere(sandbox, {
    retention: {},
    prepare: async () => {},
    args: (_, subjects) => [
      ...(["relationship", "end", "--date", date] as const),
      ...subjects.flatMap((subject) => ["--subject", subject]),
    ],
    killed: recordsAreWhole,
    again: async (place, subjects, what) => {
      await exportClients(await session(place), {});
      await endRelationship(await session(place), { ...NO_ONE, subjects, date });
      for (const subject of subjects)
        for (const { lock } of await objectsOf(place, subject)) assert.equal(String(lock!.until), String(final), what);
      const ended = await place.entries("relationship.ended");
      assert.equal(new Set(ended.map(({ subject }) => subject)).size, ended.length, `${what}: told twice`);
    },
  });
});
