import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/core/clock.ts";
import { readLastVerify } from "../../src/state/last-verify.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

interface Report {
  readonly checkpoint: { readonly size: number; readonly root: string };
  readonly records: number;
  readonly problems: number;
  readonly unlocked: number;
  readonly found: readonly { readonly key: string; readonly what: string }[];
  readonly notLocked: readonly { readonly key: string }[];
}

const PEOPLE = 25;
/** The locks of 90 days are over by then. */
const late = () => systemClock().add({ hours: 24 * 100 });

let sandbox: Sandbox;
let place: Workplace;
before(async () => {
  sandbox = await startSandbox({ identities: PEOPLE, files: false });
  place = await makeWorkplace(sandbox);
  await place.export();
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

const reportOf = (json: unknown): Report => (json as { clients: Report[] }).clients[0]!;

describe("locks that merely ran out are no sign that anyone changed the vault", () => {
  test("on a terminal: intact, with the command that locks them again, and exit code 3", async () => {
    const { code, stderr } = await place.here("verify", [], { now: late, isTerminal: true });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /acme-bank: intact, but 25 objects are not locked: run `holdfast retention extend`/);
    assert.match(stderr, /25 objects must be locked and are not; nothing was changed\n {2}→ Run `holdfast retention/);
    assert.doesNotMatch(stderr, /\d problem|does not match its log|records\//);
  });

  test("in JSON, in the log, and in what the metrics are told", async () => {
    const ended = await place.here("verify", ["--json"], { now: late });
    const { problems, found, unlocked, notLocked } = reportOf(ended.json);
    assert.deepEqual([ended.code, problems, found, unlocked, notLocked.length], [3, 0, [], PEOPLE, PEOPLE]);
    assert.deepEqual(
      [ended.log.at(-1)!.code, ended.log.some(({ level, key }) => level === "error" && key)],
      ["unlocked", false],
    );
    const { problems: noted, unlocked: notedToo } = readLastVerify(place.path("state", CLIENT))!;
    assert.deepEqual([noted, notedToo], [0, PEOPLE]);
  });

  test("piped, it names 20 of them and says how many more there are", async () => {
    const { log } = await place.here("verify", [], { now: late });
    const named = log.filter(({ msg }) => /must be kept|is not locked/.test(String(msg)));
    assert.equal(named.length, 20);
    assert.ok(log.some(({ msg }) => /^… and \d+ more that are not locked: --json lists all$/.test(String(msg))));
  });

  test("with something missing besides, it is code 4", async () => {
    await using other = await place.copy();
    await rm(other.path("vault", CLIENT, "records"), { recursive: true });
    const ended = await other.here("verify", ["--json"], { now: late });
    assert.deepEqual([ended.code, reportOf(ended.json).unlocked > 0], [4, true]);
  });

  test("a lock that is shorter than was logged is code 4", async () => {
    await using other = await place.copy();
    const [entry] = await other.entries("record.stored");
    const { key, versionId } = entry!.object;
    const note = other.path("vault", CLIENT, ".versions", key, `${versionId}.json`);
    const written = JSON.parse(await readFile(note, "utf8"));
    written.lock.until = "2020-01-01T00:00:00Z";
    await writeFile(note, JSON.stringify(written));
    const [report] = await other.expect<Report>(4, "verify");
    assert.deepEqual(
      report!.found.map(({ key }) => key),
      [key],
    );
  });
});

test("pieces of the log ran out with their records while some records are locked for longer: code 3", async () => {
  await using other = await place.copy();
  const [entry] = await other.entries("record.stored");
  const ids = Array.from({ length: PEOPLE }, (_, at) => sandbox.identity(at).id);
  const subjects = await Promise.all(ids.map((id) => other.subject(id)));
  const one = ids[subjects.indexOf(entry!.subject)]!;
  await other.expect(0, "relationship", "end", "--identity", one, "--date", "2026-11-01");
  const ended = await other.here("verify", ["--json"], { now: late });
  const { found, notLocked } = reportOf(ended.json);
  assert.deepEqual([ended.code, found], [3, []], ended.stderr);
  assert.ok(notLocked.some(({ key }) => key === "audit/checkpoint"));
  assert.ok(notLocked.every(({ key }) => !key.includes(entry!.subject)));
});

test("the locks of all pieces of the log ended before a run would have let them: code 4, also with records run out", async () => {
  await using other = await place.copy();
  const audit = other.path("vault", CLIENT, ".versions", "audit");
  const until = systemClock()
    .add({ hours: 24 * 30 })
    .toString({ smallestUnit: "second" });
  for (const name of await readdir(audit, { recursive: true })) {
    if (!/\d{8}\.json$/.test(name)) continue;
    const note = join(audit, name);
    const written = JSON.parse(await readFile(note, "utf8"));
    await writeFile(note, JSON.stringify({ ...written, lock: { ...written.lock, until } }));
  }
  const soon = () => systemClock().add({ hours: 24 * 60 });
  const ended = await other.here("verify", ["--json"], { now: soon });
  const { found, notLocked } = reportOf(ended.json);
  assert.deepEqual([ended.code, notLocked], [4, []], ended.stderr);
  assert.ok(found.some(({ key }) => key === "audit/checkpoint"));
  const [entry] = await other.entries("record.stored");
  const ids = Array.from({ length: PEOPLE }, (_, at) => sandbox.identity(at).id);
  const subjects = await Promise.all(ids.map((id) => other.subject(id)));
  await other.expect(
    0,
    "relationship",
    "end",
    "--identity",
    ids[subjects.indexOf(entry!.subject)]!,
    "--date",
    "2026-11-01",
  );
  const at = other.path("vault", CLIENT, ".versions", "audit/checkpoint");
  for (const name of (await readdir(at)).filter((each) => each.endsWith(".json"))) {
    const written = JSON.parse(await readFile(join(at, name), "utf8"));
    await writeFile(join(at, name), JSON.stringify({ ...written, lock: { ...written.lock, until } }));
  }
  assert.equal((await other.here("verify", [], { now: late })).code, 4);
});

test("verify prints the checkpoint to keep: on a terminal, piped, and in JSON", async () => {
  const { head } = await place.log();
  const root = Buffer.from(head.root).toString("base64");
  const line = `  keep      this checkpoint: size ${head.size}, root hash ${root}`;
  const seen = await place.here("verify", [], { isTerminal: true });
  assert.ok(seen.stderr.split("\n").includes(line), seen.stderr);
  const piped = await place.here("verify");
  assert.ok(
    piped.log.some(({ lines }) => Array.isArray(lines) && lines.includes(line)),
    piped.stderr,
  );
  const { checkpoint } = reportOf((await place.here("verify", ["--json"])).json);
  assert.deepEqual([checkpoint.size, checkpoint.root], [head.size, root]);
});

test("the summary claims only what is so: of deleted records, and of a log that could not be read", async () => {
  await using other = await place.copy();
  await rm(other.path("vault", CLIENT, ".versions/records"), { recursive: true });
  const gone = await other.here("verify", [], { isTerminal: true });
  assert.match(gone.stderr, /vault {5}0 of 25 records and 0 files found/);
  assert.match(gone.stderr, /keep {6}this checkpoint: /);
  await using damaged = await place.copy();
  await rm(damaged.path("vault", CLIENT, ".versions/audit/tile/entries"), { recursive: true });
  const { code, stderr } = await damaged.here("verify", [], { isTerminal: true });
  assert.equal(code, 4);
  assert.match(stderr, /log {7}0 of \d+ entries read; the signed checkpoint does not confirm them/);
  assert.match(stderr, /orphans {3}25 versions not in the entries that could be read/);
  assert.match(stderr, /keep {6}your earlier checkpoint; this one was not confirmed: size/);
});

test("a terminal shows 20 problems and says how many more there are; JSON and the log have all", async () => {
  await using other = await place.copy();
  await rm(other.path("vault", CLIENT, "records"), { recursive: true });
  const seen = await other.here("verify", [], { isTerminal: true });
  const shown = seen.stderr.split("\n").filter((line) => /records\//.test(line));
  assert.deepEqual([seen.code, shown.length], [4, 20], seen.stderr);
  assert.match(seen.stderr, /… and 5 more problems: --json lists all/);
  const ended = await other.here("verify", ["--json"]);
  assert.equal(reportOf(ended.json).found.length, PEOPLE);
  assert.equal(ended.log.filter(({ level, key }) => level === "error" && key).length, PEOPLE);
});
