/**
 * How long the catalog takes to find a person among many. It is filled with the log's own entries; there are no
 * objects. `node test/bench/child/lookup.ts [--people 1000000]` prints milliseconds as JSON.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Catalog } from "../../../src/catalog/catalog.ts";
import { recordKey } from "../../../src/vault/layout.ts";

const VERSION = "20261123T101500Z-0123456789ab";

const { values } = parseArgs({ options: { people: { type: "string", default: "1000000" } } });
const people = Number(values.people);
const folder = mkdtempSync(join(tmpdir(), "holdfast-lookup-"));
const path = join(folder, "catalog.sqlite");
const token = (text: string) => createHash("md5").update(text).digest("hex");

try {
  const catalog = Catalog.empty(path, "bench");
  for (let first = 0; first < people; first += 10_000) {
    catalog.apply(
      Array.from({ length: 10_000 }, (_, n) => {
        const subject = token(`subject ${first + n}`);
        const object = {
          key: recordKey(subject, VERSION),
          versionId: "1",
          size: 1,
          sha256: "0".repeat(64),
        };
        const entry = {
          ...{
            type: "record.stored",
            time: "2026-11-23T10:15:00Z",
            run: "bench",
            subject,
            version: VERSION,
            object,
            files: [],
          },
          ...{ updated: new Date(1.6e12 + (first + n) * 1000).toISOString(), withheld: 0, recipients: [] },
          ...{ lockedUntil: "2099-01-01T00:00:00Z", lookups: { email: token(`email ${first + n}`) } },
        };
        return { index: first + n, bytes: new TextEncoder().encode(JSON.stringify(entry)) };
      }),
    );
  }
  catalog.close();

  const begun = performance.now();
  const opened = Catalog.open(path, "bench");
  const openedIn = performance.now() - begun;
  const times = Array.from({ length: 1000 }, (_, n) => {
    const number = Math.floor((n * people) / 1000);
    const start = performance.now();
    const [subject] = opened.subjects.find("email", token(`email ${number}`));
    if (subject !== token(`subject ${number}`)) throw new Error("found someone else");
    opened.kept.stored(subject);
    opened.subjects.mentions(subject);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  const start = performance.now();
  const found = opened.subjects.updatedIn("2020-09-14T00:00:00Z", "2020-09-15T00:00:00Z", 50_000).length;
  const ranged = performance.now() - start;
  const count = (before: string): number => opened.locks.before(before).reduce((sum, page) => sum + page.length, 0);
  const from = performance.now();
  if (count("2098-01-01T00:00:00Z") > 0) throw new Error("found a lock that is not due");
  const nothingDue = performance.now() - from;
  const after = performance.now();
  if (count("2099-06-01T00:00:00Z") !== people) throw new Error("did not find every lock");
  const allDue = performance.now() - after;
  opened.close();
  process.stdout.write(
    JSON.stringify({
      "catalog opened and checked": openedIn,
      "found by e-mail with versions and trail, median of 1,000": times[500],
      "found by e-mail with versions and trail, worst of 1,000": times[999],
      [`found ${found} people of one day`]: ranged,
      "locks that are due, where none is": nothingDue,
      "locks that are due, where all are": allDue,
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
