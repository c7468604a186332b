import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { Secret } from "../../src/config/secret.ts";
import { type Candidate, type PlanParts, planWalk, type Selection } from "../../src/export/plan.ts";
import { Handles } from "../../src/record/handles.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { parseIdentityPage } from "../../src/source/passbase/answers.ts";
import type { Page } from "../../src/source/source.ts";

const KEY = new Secret("5e".repeat(32));
const tokens = new Tokens(KEY);
const handles = new Handles(KEY);
const TIME = "2026-11-23T10:15:00.000Z";
const KEEP = { keep: Temporal.Duration.from("P5Y"), from: "relationship-end" };
const RUN = "20261123T101500Z-abcdef";
const project = (n: number): Entry => ({
  ...{ type: "source.changed", time: TIME, run: RUN, source: "main", kind: "passbase", project: String(n).repeat(32) },
});

const subjectOf = (id: string): string => tokens.subject("passbase", id);

const pageOf = (entries: readonly string[]): Page => parseIdentityPage(`{"data":[${entries}]}`);

/** What may be told between two nights. */
type Happening =
  | { readonly gone: string; readonly reason: "deleted" | "redacted" | "unlisted" }
  | { readonly project: number }
  /** Someone was gone, and turns out to be as before. */
  | { readonly doubted: string }
  /** Someone was asked about, and is as this entry says. */
  | { readonly listed: string };

/** A vault's catalog, and the walks of its source. */
class Place {
  readonly catalog: Catalog;
  #size = 0;

  constructor(path: string) {
    this.catalog = Catalog.temporary(path, "acme.example/log");
  }

  log(entry: Entry): void {
    this.catalog.applyKnown([{ index: this.#size, entry }]);
    this.#size += 1;
  }

  happen(what: Happening): void {
    const told = { time: TIME, run: RUN } as const;
    if ("gone" in what) this.log({ type: "record.gone", ...told, subject: subjectOf(what.gone), reason: what.reason });
    else if ("project" in what) this.log(project(what.project));
    else if ("doubted" in what) {
      const subject = subjectOf(what.doubted);
      const { listed } = this.catalog.subjects.known(subject) ?? {};
      this.log({ type: "record.gone", ...told, subject, reason: "unlisted" });
      if (listed) this.catalog.walk.noteListed(subject, listed);
    } else
      for (const { id, updated, raw } of pageOf([what.listed]).identities)
        this.catalog.walk.noteListed(subjectOf(id), tokens.listed(updated, raw));
  }

  /** What a night finds; then everyone found is stored. */
  async night(pages: readonly Page[], selection: Selection, isLocated: boolean) {
    const { catalog } = this;
    const counts = { examined: 0, unchanged: 0, past: 0 };
    const told = { unreadable: 0, listed: "" };
    const parts = {
      ...{ source: { kind: "passbase" }, sourceConfig: { name: "main" }, handles, tokens, catalog },
      config: { retention: { timezone: "UTC", classes: { identifying: KEEP, verification: KEEP, files: KEEP } } },
      now: () => Temporal.Instant.from(TIME),
    } as unknown as PlanParts;
    const found: Candidate[] = [];
    catalog.walk.begin();
    const plan = planWalk(parts, of(pages), selection, counts, {
      unreadable: (count) => {
        told.unreadable += count;
      },
      listed: (at) => {
        if (at > told.listed) told.listed = at;
      },
    });
    for await (const { candidates } of plan) {
      found.push(...candidates);
      for (const { id, subject, listed } of candidates) if (listed) this.#store(id, subject, listed, isLocated);
    }
    return { found, counts, told, missed: catalog.walk.end("main", 2) };
  }

  #store(id: string, subject: string, version: string, isLocated: boolean): void {
    const key = `records/00/${subject}/${version}.age`;
    this.log({
      ...{ type: "record.stored", time: TIME, run: RUN, subject, version, updated: TIME },
      object: { key, versionId: "v", size: 1000, sha256: "ab".repeat(32) },
      ...{ files: [], withheld: 0, recipients: [], lockedUntil: TIME, lookups: {} },
      ...(isLocated ? { source: "main", handle: handles.close(subject, "passbase", id) } : {}),
    });
  }
}

async function* of<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

/** The same page, as a source has it that parses everything. */
function parsed({ identities, unread, unreadable, cursor, whole }: Page): Page {
  return { identities: identities.map(({ bytes: _, ...each }) => each), unread, unreadable, cursor, whole };
}

const ID = ["a", "b", "c"] as const;
const id = fc.constantFrom(...ID);
const UPDATED = 1_795_428_900;
/** One person's entry. Few contents, so that it often changes, and changes back. */
const entry = fc
  .record({
    ...{ id, updated: fc.constantFrom(UPDATED, UPDATED, UPDATED + 1), content: fc.nat(1) },
    form: fc.constantFrom("", "", "", "spaces", "order", "twice", "escaped", "other case", "no time", "number"),
  })
  .map(({ id, updated, content, form }) => {
    const rest = `"updated":${updated},"content":${content}`;
    if (form === "spaces") return `{ "id": "${id}", ${rest}}`;
    if (form === "order") return `{${rest},"id":"${id}"}`;
    // JSON.parse takes the last; which one a reader takes that does not parse must not matter.
    if (form === "twice") return `{"id":"${ID[content]}",${rest},"\\u0069d":"${id}"}`;
    if (form === "escaped") return `{"id":"\\u00${id.charCodeAt(0).toString(16)}",${rest}}`;
    if (form === "other case") return `{"id":"${id}",${rest},"status":"\ud800"}`;
    if (form === "no time") return `{"id":"${id}","content":${content}}`;
    if (form === "number") return `{"id":${id.charCodeAt(0)},${rest}}`;
    return `{"id":"${id}",${rest}}`;
  });
const evening = fc.record({
  pages: fc.array(fc.array(entry, { maxLength: 3 }), { minLength: 1, maxLength: 2 }),
  /** Everything as in this earlier night. */
  as: fc.option(fc.nat(5), { freq: 1 }),
  isLocated: fc.boolean(),
  turn: fc.option(id),
  given: fc.option(id),
  before: fc.array(
    fc.oneof<fc.Arbitrary<Happening>[]>(
      fc.record({ gone: id, reason: fc.constantFrom("deleted", "redacted", "unlisted") }),
      fc.record({ project: fc.nat(1) }),
      fc.record({ doubted: id }),
      fc.record({ listed: entry }),
    ),
    { maxLength: 2 },
  ),
});

describe("entries that are as they were", () => {
  let folder: string;
  let places = 0;
  const newPlace = (): Place => {
    const place = new Place(join(folder, `${places++}`, "catalog.sqlite"));
    place.log(project(0));
    return place;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-same-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  test("a night finds the same people as one that parses every entry, whatever happened before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(evening, { minLength: 4, maxLength: 8 }), async (evenings) => {
        const [quick, thorough] = [newPlace(), newPlace()];
        const nights: string[][][] = [];
        for (const { pages, as, isLocated, turn, given, before } of evenings) {
          for (const place of [quick, thorough]) for (const each of before) place.happen(each);
          const lists = as === null || nights.length === 0 ? pages : nights[as % nights.length]!;
          nights.push(lists);
          const selection: Selection = {
            kind: "changed",
            ...(turn === null ? {} : { isTurn: (subject: string) => subject === subjectOf(turn) }),
            ...(given === null ? {} : { isGiven: (subject: string) => subject === subjectOf(given) }),
          };
          const [one, other] = [
            await quick.night(lists.map(pageOf), selection, isLocated),
            await thorough.night(lists.map(pageOf).map(parsed), selection, isLocated),
          ];
          assert.deepEqual(one, other);
          for (const id of ID)
            assert.deepEqual(
              quick.catalog.subjects.known(subjectOf(id)),
              thorough.catalog.subjects.known(subjectOf(id)),
            );
        }
        for (const { catalog } of [quick, thorough]) catalog.close();
      }),
      { numRuns: 200 },
    );
  });

  test("on the second night without changes nothing is parsed, and everyone counts", async () => {
    const place = newPlace();
    const entries = ID.map((id) => `{"id":"${id}","updated":${UPDATED}}`);
    const nightOf = async (selection: Selection) => {
      const { unparsed } = pageOf(entries);
      let parsed = 0;
      const page: Page = {
        ...{ identities: [], unread: [], unreadable: 0, cursor: null, whole: true },
        unparsed: {
          entries: unparsed!.entries,
          except: (skipped) => {
            const rest = unparsed!.except(skipped);
            parsed += rest.identities.length;
            return rest;
          },
        },
      };
      const { found, counts, told, missed } = await place.night([page], selection, true);
      return { parsed, found: found.map(({ id, way }) => [id, way]), counts, listed: told.listed, missed };
    };
    const changed: Selection = { kind: "changed" };
    await place.night([pageOf(entries)], changed, true);
    const counts = { examined: 3, unchanged: 3, past: 0 };
    const quiet = { found: [], counts, listed: "2026-11-23T10:15:00Z", missed: [] };
    assert.deepEqual(await nightOf(changed), { parsed: 3, ...quiet });
    assert.deepEqual(await nightOf(changed), { parsed: 0, ...quiet });
    // Someone whose turn it is is asked about, and is no one whose entry is new.
    const turn: Selection = { kind: "changed", isTurn: (subject) => subject === subjectOf("b") };
    const asked = { ...quiet, found: [["b", "turn"]], counts: { ...counts, unchanged: 2 } };
    assert.deepEqual(await nightOf(turn), { parsed: 1, ...asked });
  });

  test("someone who was missed, or called gone, and has the same entry again is there", async () => {
    const place = newPlace();
    const changed: Selection = { kind: "changed" };
    const [one, two] = ["a", "b"].map((id) => `{"id":"${id}","updated":${UPDATED}}`) as [string, string];
    const nightOf = (...entries: string[]) => place.night([pageOf(entries)], changed, true);
    const known = () => place.catalog.subjects.known(subjectOf("a"));
    await nightOf(one, two);
    await nightOf(one, two);
    await nightOf(two);
    assert.equal(known()?.missed, 1);
    await nightOf(one, two);
    assert.equal(known()?.missed, 0);
    assert.deepEqual((await nightOf(two)).missed, []);
    await nightOf(one, two);
    place.happen({ doubted: "a" });
    assert.equal(known()?.gone, "unlisted");
    assert.deepEqual((await nightOf(one, two)).found, []);
    assert.equal(known()?.gone, null);
  });
});
