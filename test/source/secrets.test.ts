import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textWithout } from "../../src/source/secrets.ts";

const isSecret = (path: readonly string[]) =>
  path.at(-1) === "token" || (path.at(-1) === "url" && path.at(-2) === "link");

/** The same, from what the text means. */
function without(value: unknown, path: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((part) => without(part, path));
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([key, part]) => {
    const here = [...path, key];
    return [key, isSecret(here) ? null : without(part, here)];
  });
  return Object.fromEntries(parts);
}

const key = fc.constantFrom("token", "link", "url", 'a"b', "other", "\\", "{");
const { answer } = fc.letrec((tie) => ({
  answer: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(1, -0.5, null, true, "", "token", '"token":', "]},\\"),
    fc.array(tie("answer"), { maxLength: 4 }),
    fc.dictionary(key, tie("answer"), { maxKeys: 4 }),
  ),
}));

test("secrets are null, at any depth and in any form, and all else means the same", () => {
  fc.assert(
    fc.property(answer, fc.constantFrom(0, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      assert.deepEqual(JSON.parse(textWithout(text, isSecret)), without(JSON.parse(text)));
    }),
  );
});

test("all other characters stay, also a name that is spelled with escapes", () => {
  const text =
    ' { "a" : 1.0e2 ,\n"\\u0074oken" : {"x":["}"]} , "list":[{"link":{"url" :"https://x","n":1}},{"url":2}] } ';
  assert.equal(
    textWithout(text, isSecret),
    ' { "a" : 1.0e2 ,\n"\\u0074oken" : null , "list":[{"link":{"url" :null,"n":1}},{"url":2}] } ',
  );
});
