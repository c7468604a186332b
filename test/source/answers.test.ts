import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, hasCode } from "../../src/core/error.ts";
import {
  parseIdentity,
  parseIdentityPage,
  parseProject,
  parseResourcePage,
} from "../../src/source/passbase/answers.ts";
import { answerWith, open, refusal } from "./connect.ts";

const response = (error: unknown): boolean => hasCode(error, "source-response" satisfies ErrorCode);
const parsers = [parseIdentityPage, parseIdentity, parseResourcePage, parseProject];

/** JSON of any shape, with the API's own names more often than by chance. */
const names = fc.constantFrom(
  ...["id", "data", "cursor", "next", "updated", "created", "owner", "email", "resources", "type", "datapoints"],
  ...["resource_files", "page", "score", "status", "metadata", "slug", "__proto__", "toString"],
);
const { value: shaped } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom("a", 1_700_000_000, 1e15, -1, "")),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie("value")), { maxLength: 6 }).map((members) => Object.fromEntries(members)),
  ),
}));

test("any answer is either read or refused with one kind of error", () => {
  const texts = fc.oneof(
    shaped.map((value) => JSON.stringify(value)),
    shaped.map((data) => JSON.stringify({ data: [data], cursor: null })),
    shaped.map((value) => JSON.stringify({ id: "a", updated: 1, resources: [value], owner: value, data: [] })),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...parsers), (text, parse) => {
      try {
        parse(text);
      } catch (error) {
        assert.ok(response(error), String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});

test("anything but JSON of the right shape is refused", () => {
  for (const text of ["", "{", "<html>", "﻿{}", "{}", "[]", "null", "1", '"text"', '{"data":{}}', '{"id":5}']) {
    for (const parse of [parseIdentityPage, parseIdentity, parseResourcePage])
      assert.throws(() => parse(text), response, text);
  }
  for (const text of ["", "{", "<html>"]) assert.throws(() => parseProject(text), response);
  for (const [field, value] of [
    ["id", ""],
    ["id", "x".repeat(201)],
    // Half a surrogate pair: encodeURIComponent would throw in the middle of a run.
    ["id", "\ud800"],
    ["updated", -1],
    ["updated", 253_402_300_800],
    ["updated", "2024-01-01"],
  ] as const) {
    const bad = JSON.stringify({ id: "a", updated: 1, [field]: value });
    assert.throws(() => parseIdentity(bad), response, bad);
    // In a list it is named if it has an id, otherwise counted; it does not prevent the export of the others.
    const page = parseIdentityPage(`{"data":[{"id":"whole","updated":1},${bad}]}`);
    assert.deepEqual(
      [page.identities.map(({ id }) => id), page.unread, page.unreadable],
      field === "id" ? [["whole"], [], 1] : [["whole"], ["a"], 0],
      bad,
    );
  }
  const pageTo = (next: unknown) => JSON.stringify({ data: [], cursor: { next } });
  for (const next of [5, {}, "x".repeat(4_097), "\udfff"])
    assert.throws(() => parseIdentityPage(pageTo(next)), response);
  for (const next of [null, "", undefined]) assert.equal(parseIdentityPage(pageTo(next)).cursor, null);
});

test("an invalid `created` loses no record", () => {
  for (const created of [true, "2024-01-01", -630_720_000, 253_402_300_800, 1_700_000_000_000, {}]) {
    const text = JSON.stringify({ id: "a", updated: 1, created });
    assert.deepEqual([parseIdentity(text).identity.created, parseIdentity(text).identity.updated], [null, instant(1)]);
    const { identities, unread, unreadable } = parseIdentityPage(`{"data":[${text}]}`);
    assert.deepEqual([identities.map(({ updated }) => updated), unread, unreadable], [[instant(1)], [], 0]);
    const file = { id: "f", updated: 1, created, type: 5 };
    const { files } = parseResourcePage(JSON.stringify({ data: [{ id: "r", type: 7, resource_files: [file] }] }));
    assert.deepEqual([files[0]!.updated, files[0]!.type], [instant(1), "other"]);
  }
});

const instant = (seconds: number) => Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toString();

test("accepted edge cases", () => {
  const at = (updated: unknown) => parseIdentity(`{"id":"${"x".repeat(200)}","updated":${updated}}`).identity.updated;
  assert.equal(at(0), "1970-01-01T00:00:00Z");
  assert.equal(at(253_402_300_799), "9999-12-31T23:59:59Z");
  assert.equal(at("1700000000.123456789"), "2023-11-14T22:13:20.123Z");
  assert.equal(at("null"), "1970-01-01T00:00:00Z");
  const score = (text: string) => parseIdentity(`{"id":"a","score":${text}}`).identity.score;
  assert.equal(score("0.12345678901234567890"), 0.12345678901234568);
  assert.deepEqual([score("1e400"), score('"1"'), score("null")], [null, null, null]);
  const page = (text: string) =>
    parseResourcePage(`{"data":[{"id":"r","resource_files":[{"id":"f","page":${text}}]}]}`).files[0]!.page;
  assert.deepEqual(["1", '"2"', '""', "1.5", "null", "{}", "12345678901234567890"].map(page), [
    1,
    2,
    ...Array(5).fill(null),
  ]);
});

test("nesting that would overflow the stack of later code is refused", () => {
  const nested = (depth: number) => `{"id":"a","metadata":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.equal(JSON.stringify(parseIdentity(nested(499)).raw), nested(499));
  for (const depth of [500, 5_000, 100_000]) assert.throws(() => parseIdentity(nested(depth)), response);
});

test("an identity is redacted only if it names no one", () => {
  const redacted = (rest: object) => parseIdentity(JSON.stringify({ id: "a", updated: 1, ...rest })).redacted;
  const owner = { email: null, first_name: null, last_name: null };
  assert.equal(redacted({ owner, resources: [{ type: "PASSPORT", datapoints: {} }] }), true);
  assert.equal(redacted({ owner: null, resources: [{ type: "PASSPORT", datapoints: { last_name: null } }] }), true);
  assert.equal(redacted({ owner: { ...owner, first_name: "A" } }), false);
  assert.equal(redacted({ owner, resources: [{ type: "PASSPORT", datapoints: { last_name: "B" } }] }), false);
});

test("an answer of 1 MiB is read, and one with a byte more is refused", async (t) => {
  const { sandbox, source } = await open(t);
  const [id] = sandbox.ids();
  for (const [size, code] of [
    [1024 * 1024, undefined],
    [1024 * 1024 + 1, "source-response"],
  ] as const) {
    const padded = Buffer.alloc(size, " ");
    padded.write(sandbox.text(0));
    const requests = answerWith(sandbox, (response) => Boolean(response.writeHead(200).end(padded)));
    const dossier = source.dossier(id!, { full: false });
    if (code) await refusal(sandbox, dossier, code);
    else assert.equal((await dossier).identity.id, id);
    assert.equal(requests.length, 1);
  }
});
