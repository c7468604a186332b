import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExact } from "../../src/io/exact-json.ts";
import { canonicalJson } from "../../src/record/canonical.ts";

const canonical = (text: string): string => canonicalJson(parseExact(text));

/** RFC 8785, appendix and section 3.2.3, except for numbers: keys by UTF-16 code unit. */
test("keys are sorted by code unit, as in RFC 8785", () => {
  const text = '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}';
  assert.equal(canonical(text), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
});

test("white space and the order of keys do not matter; the order of lists, and every value, do", () => {
  assert.equal(
    canonical(' { "b" : [ 1 , { "d":null,"c":true } ] , "a" : "x" } '),
    '{"a":"x","b":[1,{"c":true,"d":null}]}',
  );
  assert.notEqual(canonical("[1,2]"), canonical("[2,1]"));
  assert.notEqual(canonical('{"a":null}'), canonical("{}"));
  assert.notEqual(canonical('{"a":"1"}'), canonical('{"a":1}'));
  // JavaScript moves integer-like keys to the front of every object.
  assert.equal(canonical('{"b":1,"10":2,"9":3}'), '{"10":2,"9":3,"b":1}');
});

test("numbers are compared, not rounded", () => {
  assert.equal(canonical("[9007199254740993,9007199254740992]"), "[9007199254740993,9007199254740992]");
  assert.notEqual(canonical("1e400"), canonical("2e400"));
  assert.notEqual(canonical("1e400"), canonical("null"));
});

test("a key named __proto__ counts", () => {
  assert.equal(canonical('{"a":1,"__proto__":{"b":2}}'), '{"__proto__":{"b":2},"a":1}');
  assert.notEqual(canonical('{"__proto__":1}'), canonical("{}"));
});

test("half a surrogate pair is escaped, so that different ones stay different", () => {
  assert.equal(canonical('"\\ud800"'), '"\\ud800"');
  assert.notEqual(canonical('"\\ud800"'), canonical('"\\ud801"'));
  // Not normalised: a changed spelling at the provider is a change.
  assert.notEqual(canonical('"é"'), canonical('"e\u0301"'));
});

function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, random), random()] as const);
  const out = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of members.sort((a, b) => a[2] - b[2])) out[key] = inner;
  return out;
}

test("any JSON: the same meaning gives the same text, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.infiniteStream(fc.double({ noNaN: true })), (value, numbers) => {
      const once = canonicalJson(value);
      assert.deepEqual(JSON.parse(once), JSON.parse(JSON.stringify(value)));
      assert.equal(canonical(once), once);
      assert.equal(canonicalJson(shuffled(value, () => numbers.next().value!)), once);
    }),
  );
});
