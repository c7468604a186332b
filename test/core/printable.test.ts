import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HoldfastError } from "../../src/core/error.ts";
import { printable, printableJson, quoted, sentence } from "../../src/core/printable.ts";
import { html, page } from "../../src/page/html.ts";
import { paper } from "../../src/page/style.ts";
import { obeyed } from "../cli/terminal.ts";
import { anyCharacter } from "../fuzz/character.ts";

/** Text with any characters, and many harmful ones. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.constantFrom("\u001b[2J", "\u009b8m", "\r", "\n", "\u2028", "\u2029", "\u0085", "\u007f", "\ud800", "\udfff"),
      fc.constantFrom(
        "\u202e",
        "\u2066",
        "\u200b",
        "\u200f",
        "\u061c",
        "\u00ad",
        "\ufeff",
        "\u{e0041}",
        "\ufe0f",
        "\u3164",
      ),
    ),
  )
  .map((parts) => parts.join(""));

test("no output contains a character that a terminal obeys, that is invisible, or that breaks a line", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const made of [printable(text), sentence(text), quoted(text), quoted(text, 3)])
        assert.deepEqual(obeyed(made), []);
      // Between the members of JSON, a line break is structure.
      assert.deepEqual(obeyed(printableJson(text).replaceAll("\n", "")), []);
      const shown = html`<p title="${text}">${text}</p>`.text;
      assert.deepEqual([obeyed(shown), /<(?!\/?p)/.test(shown)], [[], false]);
      assert.deepEqual(obeyed(page({ title: text, style: paper(text), body: html`${text}` }).replaceAll("\n", "")), []);
    }),
  );
});

test("a text in the footer of a page is one string of CSS, whatever is in it", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const css = paper(`${text}"; } </style><script>`);
      assert.doesNotMatch(css, /</);
      assert.match(css, /@bottom-left \{ content: "(?:[A-Za-z0-9 ]|\\[0-9a-f]+ )*"; font/);
    }),
  );
});

test("JSON keeps its meaning", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), hostile, (value, text) => {
      const json = JSON.stringify([value, text]);
      const made = printableJson(json);
      assert.deepEqual(JSON.parse(made), JSON.parse(json));
      assert.deepEqual(obeyed(made), []);
    }),
  );
});

test("text that needs no escape stays unchanged, in any script", () => {
  for (const text of ["Jürgen Müller-Lüdenscheidt", "山田太郎", "محمد", "Ελένη", "a  b", "100 % → “yes”"])
    assert.equal(printable(text), text);
});

test("every kind of blank becomes a space, so that a line can be wrapped there", () => {
  for (const blank of ["\u00a0", "\u2007", "\u202f", "\u3000", "\u2800", "\u1680"]) {
    assert.equal(printable(`a${blank}b`), "a b");
    assert.equal(sentence(`a${blank}${blank} b`), "a b");
  }
});

test("a plain word stays unchanged; anything else is quoted, cannot end the quotes, and cannot move to another line", () => {
  assert.equal(quoted("2026-117"), "2026-117");
  assert.equal(quoted("AZ 17/26"), '"AZ 17/26"');
  assert.equal(quoted('a" key  good'), '"a\\" key good"');
  assert.equal(quoted(`2026-117${" ".repeat(70)}key  good`), '"2026-117 key good"');
  assert.equal(quoted(`a${"\u3000".repeat(70)}b`), '"a b"');
  assert.equal(quoted("x".repeat(200)), "x".repeat(200));
  assert.equal(quoted("x".repeat(201)), `"${"x".repeat(200)}…"`);
});

test("an error's message and hint are escaped on creation; several lines are a list", () => {
  const error = new HoldfastError("usage", "no\nsuch\u001b[8m", { hint: ["do so:", "  a\nb"] });
  assert.equal(error.message, "no\\nsuch\\u001b[8m");
  assert.equal(error.hint, "do so:\n  a\\nb");
  assert.equal(new HoldfastError("usage", ["one", "two"]).message, "one\ntwo");
});
