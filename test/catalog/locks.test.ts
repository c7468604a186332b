import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { after, before, describe, mock, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Entry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { RetentionConfig } from "../../src/config/config.ts";
import { fallingDue } from "../../src/retention/locks-falling-due.ts";
import { parsePolicy } from "../../src/retention/policy.ts";

const ORIGIN = "acme.example/log";
/** A page has a thousand rows. All subjects at once would need some 15 MB. */
const PEOPLE = 200_000;
const FILES = 20_000;
const NEVER = "2099-01-01T00:00:00Z";

/** A step of a query plan that reads only what it is asked for. */
const STEP =
  /^SEARCH |^CORRELATED SCALAR SUBQUERY|^SCALAR SUBQUERY|^CO-ROUTINE|^MATERIALIZE|^SETUP|^RECURSIVE STEP|^SCAN (day|\(subquery-\d\))$/;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;
function heap(): number {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A catalog with this many people, each with a record whose lock ends in 2027, and some with a file too. */
function fill(path: string, people: number, files: number): void {
  Catalog.empty(path, ORIGIN).close();
  const db = new DatabaseSync(path);
  const n = (count: number) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  const version = "unhex('202611231015000123456789AB')";
  const time = "unhex('20261123101500')";
  // Half of all locks end at the same moment, as after a large backfill.
  const until = "unhex(CASE WHEN i % 2 = 0 THEN '20270101000000' ELSE printf('202701%02d000000', 1 + i % 28) END)";
  db.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN;
    INSERT INTO person ${n(people)} SELECT i, unhex(printf('%032x', i)) FROM n;
    INSERT INTO subject (person, version, entry, withheld) ${n(people)} SELECT i, ${version}, i, 0 FROM n;
    INSERT INTO version ${n(people)} SELECT i, ${version}, i, ${time}, ${time},
      'v', 1, x'ab', ${until}, i % 3 = 0, 0, 0 FROM n;
    INSERT INTO file ${n(files)} SELECT i, unhex(printf('%032x', i)), ${version}, 1, 'v', 1, x'ab', 1, 1, ${until}, 0 FROM n;
    COMMIT`);
  db.close();
}

describe("two hundred thousand people with due locks", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-locks-"));
  const path = join(folder, "catalog.sqlite");
  let catalog: Catalog;
  before(() => {
    fill(path, PEOPLE, FILES);
    catalog = Catalog.open(path, ORIGIN);
  });
  after(() => {
    catalog.close();
    rmSync(folder, { recursive: true });
  });

  for (const [name, pages] of Object.entries({
    "whose lock ends before a time": () => catalog.locks.before(NEVER),
    "who have a lock in governance mode": () => catalog.locks.softBefore(NEVER),
  })) {
    test(`those ${name} are listed once each, with constant memory`, () => {
      let [people, first, most, largest] = [0, 0, 0, 0];
      let n = 0;
      for (const page of pages()) {
        people += page.length;
        largest = Math.max(largest, page.length);
        n += 1;
        if (n === 20) first = heap();
        if (n > 20 && n % 100 === 0) most = Math.max(most, heap());
      }
      const soft = Math.ceil((PEOPLE * 2) / 3);
      if (name.includes("governance")) assert.ok(people >= soft && people < PEOPLE, `${people}`);
      else assert.equal(people, PEOPLE);
      assert.ok(largest <= 1_000);
      assert.ok(most - first < 4_000_000, `${most - first} bytes more while ${people} were read`);
    });
  }

  test("each page uses an index, however many rows are due", () => {
    const seen = new Set<string>();
    const { all, get, run } = StatementSync.prototype;
    const spies = Object.entries({ all, get, run }).map(([name, original]) =>
      mock.method(
        StatementSync.prototype,
        name as "all",
        function (this: StatementSync, ...args: Parameters<typeof all>) {
          seen.add(this.sourceSQL);
          return (original as typeof all).apply(this, args);
        },
      ),
    );
    try {
      for (const page of [catalog.locks.before(NEVER), catalog.locks.softBefore(NEVER)].map((pages) => pages.next()))
        assert.ok(page.value!.length > 0);
      for (const _ of catalog.locks.before("2000-01-01T00:00:00Z"));
      for (const _ of catalog.locks.endedShort("2026-01-01", NEVER));
      catalog.locks.settle("2026-01-01", NEVER);
      catalog.locks.countBetween("2000-01-01T00:00:00Z", NEVER, 10);
      catalog.locks.anyAfter(NEVER);
      catalog.notes.lockedShort(NEVER);
      catalog.relationships.endings();
      for (const _ of catalog.locks.softBefore("2000-01-01T00:00:00Z")) break;
      for (const _ of catalog.locks.softBefore(NEVER));
    } finally {
      for (const spy of spies) spy.mock.restore();
    }
    assert.equal(seen.size, 11);
    const db = new DatabaseSync(path, { readOnly: true });
    for (const sql of seen) {
      const plan = (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail);
      const isNote = sql.includes("FROM note");
      assert.ok(
        // Sorting a page's few subjects, or stepping from day to day, reads nothing of the tables.
        plan.every((step) => STEP.test(step) || (isNote && /^USE TEMP B-TREE FOR (DISTINCT|ORDER BY)$/.test(step))),
        `${sql}\n${plan.join("\n")}`,
      );
      assert.match(
        plan.find((step) => step.startsWith("SEARCH"))!,
        /^SEARCH \w+ USING (COVERING )?INDEX (version_lock|file_lock|relationship_ended|note_lock)\b/,
        sql,
      );
    }
    db.close();
  });

  test("counting them for the metrics yields to other work and keeps none in memory", async () => {
    const retention: RetentionConfig = parsePolicy({
      ...{ identifying: "P5Y from relationship-end", verification: "P5Y from relationship-end" },
      ...{ files: "P5Y from relationship-end", initialLock: "P90D", extendWhenLessThan: "P30D", lock: "governance" },
    });
    const start = heap();
    let turns = 0;
    let counting = true;
    const others = (async () => {
      while (counting) {
        await new Promise((resolve) => setImmediate(resolve));
        turns += 1;
      }
    })();
    const now = Temporal.Instant.from("2026-12-31T00:00:00Z");
    assert.equal(await fallingDue(catalog, retention, Temporal.Instant.from(NEVER), now), PEOPLE);
    counting = false;
    await others;
    assert.ok(turns > PEOPLE / 1_000, `${turns} turns`);
    assert.ok(heap() - start < 4_000_000);
  });
});

test("locks that are extended between pages are neither read twice nor skipped", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-locks-"));
  try {
    const path = join(folder, "catalog.sqlite");
    fill(path, 5_000, 5_000);
    const catalog = Catalog.open(path, ORIGIN);
    const db = new DatabaseSync(path);
    db.exec("PRAGMA synchronous = OFF");
    const extend = db.prepare(
      "UPDATE version SET locked_until = unhex(?, '-T:') WHERE person = (SELECT id FROM person WHERE subject = unhex(?))",
    );
    const met: string[] = [];
    for (const page of catalog.locks.before("2027-06-01T00:00:00Z")) {
      // Some are still due: the law requires them for no longer.
      for (const [n, subject] of page.entries())
        extend.run(n % 2 ? "2027-05-01T00:00:00" : "2028-01-01T00:00:00", subject);
      met.push(...page);
    }
    assert.deepEqual([met.length, new Set(met).size], [5_000, 5_000]);
    db.close();
    catalog.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("people whose relationship ended are looked at until all their locks last to its date, and again when one is stored", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-locks-"));
  try {
    const path = join(folder, "catalog.sqlite");
    fill(path, 3_000, 100);
    const catalog = Catalog.open(path, ORIGIN);
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA synchronous = OFF; INSERT INTO relationship (subject, ended, told, entry)
      SELECT lower(hex(subject)), CASE WHEN id % 3 = 0 THEN '2026-10-31' ELSE '2026-09-30' END, '2026-11-01', 1 FROM person`);
    const short = (day: string, until: string): number => [...catalog.locks.endedShort(day, until)].flat().length;
    const [DAY, UNTIL, LATER] = ["2026-10-31", "2032-01-01T00:00:00Z", "2033-01-01T00:00:00Z"];
    assert.deepEqual(catalog.relationships.endings(), ["2026-09-30", DAY]);
    assert.equal(short(DAY, UNTIL), 1_000);
    catalog.locks.settle(DAY, UNTIL);
    assert.equal(short(DAY, UNTIL), 1_000, "their locks are too short");
    db.exec("UPDATE version SET locked_until = unhex('20320101000000') WHERE person > 30");
    db.exec("UPDATE file SET locked_until = unhex('20320101000000') WHERE person > 30");
    assert.equal(short(DAY, UNTIL), 10);
    catalog.locks.settle(DAY, UNTIL);
    const settled = () =>
      (db.prepare("SELECT COUNT(*) AS n FROM relationship WHERE settled = ?").get(UNTIL) as { n: number }).n;
    assert.equal(settled(), 990);
    assert.equal(short("2026-09-30", UNTIL), 20, "another day");
    // Another policy, whose date is later.
    assert.equal(short(DAY, LATER), 1_000);
    // A new version, whose lock may be short.
    const subject = `${"0".repeat(29)}bb8`;
    const key = `records/00/${subject}/20261124T101500Z-0123456789ab.age`;
    const object = { key, versionId: "v2", size: 1, sha256: "a".repeat(64) };
    const entry = {
      ...{ type: "record.stored", time: "2026-11-24T10:15:00Z", run: "20261124T101500Z-000000", subject, object },
      ...{
        version: "20261124T101500Z-0123456789ab",
        updated: "2026-11-24T10:15:00Z",
        lockedUntil: "2027-01-01T00:00:00Z",
      },
      ...{ lockMode: "governance", files: [], withheld: 0, lookups: {}, collect: "full", recipients: [] },
    } as unknown as Entry;
    catalog.relationships.apply(1, entry);
    assert.equal(settled(), 989);
    db.close();
    catalog.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
