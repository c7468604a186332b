import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Secret } from "../../src/config/secret.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import { peekRunInbox, RunInbox } from "../../src/inbox/run-inbox.ts";
import { peekInbox } from "../../src/inbox/waiting.ts";
import { Handles } from "../../src/record/handles.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { rowsOf } from "./stage.ts";

const NOW = Temporal.Instant.from("2026-03-01T00:00:00Z");
const KEY = new Secret("0".repeat(64));
const SOURCE = { name: "main", kind: "passbase" } as const;
const [handles, tokens] = [new Handles(KEY), new Tokens(KEY)];

let sent = 0;
/** An inbox with an event about each of these people, which someone else can write to. */
function inboxWith(...people: string[]) {
  const inbox = new Inbox(mkdtempSync(join(tmpdir(), "holdfast-foreign-")));
  const state = join(inbox.path, "..");
  const arrive = (person: string) => {
    const subject = tokens.subject("passbase", person);
    const named = [{ subject, handle: handles.close(subject, "passbase", person) }];
    return inbox.append([{ source: "main", key: Buffer.from(`${++sent}`), kind: "k", isErasure: false, named }], NOW);
  };
  for (const person of people) assert.deepEqual(arrive(person), ["taken"]);
  const forge = (sql: string): void => {
    using db = new DatabaseSync(inbox.path);
    db.exec(sql);
  };
  return { inbox, state, arrive, forge, [Symbol.dispose]: () => inbox.close() };
}

const open = (inbox: Inbox): RunInbox => new RunInbox(inbox, SOURCE, handles, NOW, assert.ifError);
const names = (of: { named(): Iterable<{ subject: string }> }) => [...of.named()].map(({ subject }) => subject);
test("pages of subjects that are no text end, and a run removes them", () => {
  using of = inboxWith("a");
  of.forge(`WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2500)
    INSERT INTO event (source, subject, handle, kind, at, erasure)
    SELECT 'main', CAST(x'FF' AS TEXT), handle, kind, at, 0 FROM event, n`);
  of.arrive("b");
  const people = ["a", "b"].map((person) => tokens.subject("passbase", person));
  let invalid = 0;
  const found = of.inbox.pending("main", 1_000_000, () => assert.ok(++invalid <= 2500, "a page comes again"));
  assert.deepEqual(
    Array.from(found, ({ subject }) => subject),
    people,
  );
  assert.equal(invalid, 2500);
  assert.deepEqual(names(peekRunInbox(of.state, SOURCE, handles)), people);
  const run = open(of.inbox);
  assert.deepEqual([names(run), run.dropped, rowsOf(of).length], [people, 2500, 2]);
});

const HUGE = ["4611686018427387904", "-4611686018427387904", "9223372036854775807", "-9223372036854775808"];

for (const huge of HUGE)
  test(`integers such as ${huge}, which Holdfast did not write, keep no one back and are removed`, () => {
    using of = inboxWith("a");
    const subject = tokens.subject("passbase", "a");
    const row = (id: string, erasure: string, tries: string) =>
      of.forge(`INSERT INTO event SELECT ${id}, source, subject, handle, kind, at, ${erasure}, ${tries} FROM event
        WHERE id = 1`);
    row("500", "0", huge);
    row("501", huge, "0");
    row(huge, "0", "0");
    assert.deepEqual(peekInbox(of.state, ["main"]).get("main")!.people, 1);
    assert.deepEqual(names(peekRunInbox(of.state, SOURCE, handles)), [subject]);
    assert.deepEqual(of.inbox.untried()!.newest.get("main"), 501);
    const run = open(of.inbox);
    assert.deepEqual([names(run), run.dropped], [[subject], 3]);
    run.retry(subject);
    assert.deepEqual(
      rowsOf(of).map(({ id, tries }) => [id, tries]),
      [[1, 1]],
    );
    // New events still get numbers, in order, and are found.
    assert.deepEqual(of.arrive("b"), ["taken"]);
    assert.deepEqual(names(open(of.inbox)), [subject, tokens.subject("passbase", "b")]);
  });

test("a row that has the last number of all, and a forged count of numbers, leave room for new events", () => {
  for (const forged of [
    "INSERT INTO event SELECT 9223372036854775807, source, subject, handle, kind, at, 0, 0 FROM event WHERE id = 1",
    "UPDATE sqlite_sequence SET seq = 9223372036854775807",
    "UPDATE sqlite_sequence SET seq = -9223372036854775808",
    "UPDATE sqlite_sequence SET seq = 'none'",
  ]) {
    using of = inboxWith("a");
    of.forge(forged);
    assert.deepEqual(of.arrive("b"), ["taken"]);
    assert.deepEqual(
      rowsOf(of).map(({ id }) => id),
      [1, 2],
      forged,
    );
  }
});

test("an inbox of another version of Holdfast is not taken for an empty one, by what only reads either", () => {
  const state = mkdtempSync(join(tmpdir(), "holdfast-inbox-"));
  try {
    const db = new DatabaseSync(join(state, "inbox.sqlite"));
    assert.equal(peekInbox(state, ["main"]).get("main")!.count, 0);
    db.exec("PRAGMA user_version = 2");
    db.close();
    assert.throws(() => peekInbox(state, ["main"]), /cannot use the inbox .* \(it has format 2\)/);
  } finally {
    rmSync(state, { recursive: true });
  }
});
