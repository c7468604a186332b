import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLine } from "../../src/config/names.ts";

test("a company's name is one visible line: no bidi controls, no zero-width characters, no line separators", () => {
  for (const name of ["Acme Bank AG", "Müller & Söhne", "山田銀行", " بنك "])
    assert.equal(parseLine(name), name.trim());
  for (const unseen of ["\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u2028", "\u2029", "\n"])
    assert.throws(() => parseLine(`Acme${unseen} Bank`), /is not one line of text/);
});
