import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { after, before, describe, mock, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { RetentionConfig } from "../../src/config/config.ts";
import { fallingDue } from "../../src/retention/locks-falling-due.ts";
import { parsePolicy } from "../../src/retention/policy.ts";

const ORIGIN = "acme.example/log";
/** A page has a thousand rows. All subjects at once would need some 15 MB. */
const PEOPLE = 200_000;
const FILES = 20_000;
const NEVER = "2099-01-01T00:00:00Z";

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
    const { all } = StatementSync.prototype;
    const spy = mock.method(
      StatementSync.prototype,
      "all",
      function (this: StatementSync, ...args: Parameters<typeof all>) {
        seen.add(this.sourceSQL);
        return all.apply(this, args);
      },
    );
    try {
      for (const page of [catalog.locks.before(NEVER), catalog.locks.softBefore(NEVER)].map((pages) => pages.next()))
        assert.ok(page.value!.length > 0);
      for (const _ of catalog.locks.before("2000-01-01T00:00:00Z"));
      for (const _ of catalog.locks.endedShort("2026-01-01", NEVER));
      for (const _ of catalog.locks.softBefore("2000-01-01T00:00:00Z")) break;
      for (const _ of catalog.locks.softBefore(NEVER));
    } finally {
      spy.mock.restore();
    }
    assert.equal(seen.size, 5);
    const db = new DatabaseSync(path, { readOnly: true });
    for (const sql of seen) {
      const plan = (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail);
      assert.ok(
        plan.every((step) => /^SEARCH |^CORRELATED SCALAR SUBQUERY|^SCALAR SUBQUERY/.test(step)),
        `${sql}\n${plan.join("\n")}`,
      );
      assert.match(plan[0]!, /^SEARCH \w+ USING (COVERING )?INDEX (version_lock|file_lock|relationship_ended) /);
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
