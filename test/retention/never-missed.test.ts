import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { ClientConfig } from "../../src/config/config.ts";
import { dueOf, dueSubjects, finalDates } from "../../src/retention/due.ts";
import { parsePolicy } from "../../src/retention/policy.ts";

const PEOPLE = ["0".repeat(31).concat("1"), "0".repeat(31).concat("2"), "a".repeat(32)];
const VERSIONS = ["20261101T101500Z-0123456789ab", "20261102T101500Z-0123456789ab"];
const DAYS = ["2026-10-31", "2026-11-30"];
const run = "20261123T101500Z-abcdef";
const sha256 = "ab".repeat(32);
const KEEP = ["P5Y", "P7Y", "P3Y", "P400D"];

const pick = (length: number) => fc.nat({ max: length - 1 });
const person = pick(PEOPLE.length);

/** What may happen to a vault, day by day. */
const named = <T extends string>(what: T) => ({ what: fc.constant(what), person });
const stored = fc.record({
  ...{ ...named("stored"), version: pick(2), object: pick(2), days: fc.integer({ min: 1, max: 3_000 }) },
  ...{ files: fc.uniqueArray(pick(2)), isShared: fc.boolean() },
});
const policy = fc.record({
  ...{ what: fc.constant("policy" as const), keep: pick(KEEP.length), files: pick(KEEP.length) },
  zone: fc.constantFrom("Pacific/Auckland", "America/Adak", undefined),
});
/** Of the locks that are due, one in `failing` fails. */
const night = fc.record({ what: fc.constant("night" as const), failing: fc.constantFrom(1, 2, 3, 1_000) });
const event = fc.oneof(
  { weight: 4, arbitrary: stored },
  { weight: 4, arbitrary: fc.record({ ...named("ended"), day: pick(2) }) },
  { weight: 6, arbitrary: night.map((of) => ({ ...of, failing: 1_000 })) },
  { weight: 1, arbitrary: night },
  { weight: 3, arbitrary: policy },
  fc.record(named("reopened")),
  ...(["begun", "withdrawn", "purged"] as const).map((what) => fc.record({ ...named(what), object: pick(4) })),
  fc.record(named("purged whole")),
  fc.record({ what: fc.constant("days" as const), days: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ what: fc.constant("rebuilt" as const) }),
);
type Happening = typeof event extends fc.Arbitrary<infer T> ? T : never;

class Model {
  now = Temporal.Instant.from("2026-12-01T00:00:00Z");
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-missed-"));
  #catalog = this.#empty();
  #entries: Entry[] = [];
  #count = 0;
  #retention = this.#policy(0, 0, undefined);

  #empty(): Catalog {
    return Catalog.temporary(join(this.#folder, "catalog.sqlite"), "acme.example/log");
  }

  #policy(keep: number, files: number, zone: string | undefined): ClientConfig["retention"] {
    const of = `${KEEP[keep]} from relationship-end`;
    return parsePolicy({
      ...{ identifying: of, verification: of, files: `${KEEP[files]} from relationship-end` },
      ...{ initialLock: "P90D", extendWhenLessThan: "P30D", lock: "governance" },
      ...(zone === undefined ? {} : { timezone: zone }),
    });
  }

  get #looking() {
    return {
      ...{ config: { retention: this.#retention, vault: { lock: "governance" } } as never, catalog: this.#catalog },
      now: () => this.now,
    };
  }

  #log(entry: object): void {
    const logged = { time: this.now.toString({ smallestUnit: "millisecond" }), run, ...entry } as Entry;
    this.#catalog.applyKnown([{ index: this.#entries.length, entry: logged }]);
    this.#entries.push(logged);
  }

  #keys(at: number): string[] {
    const subject = PEOPLE[at]!;
    return [
      ...VERSIONS.map((version) => `records/${subject.slice(0, 2)}/${subject}/${version}.age`),
      ...[0, 1].map((file) => `files/${subject.slice(0, 2)}/${subject}/${String(file).repeat(32)}.age`),
    ];
  }

  does(event: Happening): void {
    const of = "person" in event ? { subject: PEOPLE[event.person]! } : {};
    switch (event.what) {
      case "stored": {
        const keys = this.#keys(event.person);
        const lockedUntil = this.now.add({ hours: 24 * event.days }).toString();
        const object = (key: string, id: string) => ({ key, versionId: id, size: 1, sha256 });
        const held = new Map(this.#catalog.kept.files(of.subject!).map((file) => [file.key, file.storedWith]));
        const files = event.files.map((file) => {
          const key = keys[2 + file]!;
          const storedWith = event.isShared ? held.get(key) : undefined;
          const same = {
            ...object(key, `f${storedWith === undefined ? ++this.#count : 0}`),
            type: "x",
            mediaType: "a/b",
          };
          return { ...same, lockedUntil, ...(storedWith === undefined ? {} : { storedWith }) };
        });
        this.#log({
          ...{ type: "record.stored", ...of, version: VERSIONS[event.version], updated: "2026-10-01T00:00:00Z" },
          ...{ object: object(keys[event.version]!, `v${event.object}`), files, withheld: 0, recipients: [] },
          ...{ lockedUntil, lockMode: "governance", lookups: {}, source: "one" },
        });
        break;
      }
      case "ended":
        this.#log({ type: "relationship.ended", ...of, ended: DAYS[event.day] });
        break;
      case "reopened":
        this.#log({ type: "relationship.reopened", ...of });
        break;
      case "begun":
        this.#log({ type: "purge.begun", ...of, keys: [this.#keys(event.person)[event.object]!] });
        break;
      case "withdrawn":
        this.#log({ type: "purge.withdrawn", ...of, keys: [this.#keys(event.person)[event.object]!] });
        break;
      case "purged":
      case "purged whole": {
        const keys = this.#keys(event.person).filter((_, n) => !("object" in event) || event.object === n);
        const due = this.now.toString();
        const objects = keys.map((key) => ({ key, versionId: "v", size: 1, sha256, versions: 1, due }));
        this.#log({ type: "record.purged", ...of, objects, whole: event.what === "purged whole" });
        break;
      }
      case "policy":
        this.#retention = this.#policy(event.keep, event.files, event.zone);
        break;
      case "night":
        this.#night(event.failing);
        break;
      case "days":
        this.now = this.now.add({ hours: 24 * event.days });
        break;
      case "rebuilt":
        this.#catalog.close();
        this.#catalog = this.#empty();
        this.#catalog.applyKnown(this.#entries.map((entry, index) => ({ index, entry })));
    }
  }

  #night(failing: number): void {
    const { catalog } = this.#looking;
    for (const subject of [...dueSubjects(this.#looking)].flat())
      for (const { key, versionId, lock } of dueOf(this.#looking, subject)) {
        if (++this.#count % failing === 0) continue;
        const until = { lockedUntil: lock.until.toString(), lockMode: lock.mode };
        this.#log({ type: "lock.extended", subject, ...until, objects: [{ key, versionId }] });
      }
    for (const { ended, last } of finalDates(this.#looking)) catalog.locks.settle(ended, last);
  }

  /** All who have an object whose lock must change, by the whole of the log. */
  #wanted(): string[] {
    return PEOPLE.filter((subject) => dueOf(this.#looking, subject).length > 0);
  }

  check(): void {
    const found = [...dueSubjects(this.#looking)].flat();
    assert.equal(new Set(found).size, found.length);
    for (const subject of this.#wanted()) assert.ok(found.includes(subject), `${subject} would be missed`);
  }

  close(): void {
    this.#catalog.close();
    rmSync(this.#folder, { recursive: true });
  }
}

test("no lock that must be extended is missed, whatever happened since someone's locks were found to last", () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 4, maxLength: 40 }), (events) => {
      const model = new Model();
      try {
        for (const each of events) {
          model.does(each);
          model.check();
        }
      } finally {
        model.close();
      }
    }),
    { numRuns: 200 },
  );
});
