import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExact, scalarText } from "../../src/io/exact-json.ts";

/** The exact value of a JSON number: digits and a power of ten, without trailing zeros. */
function exact(text: string): string {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return "0";
  return `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength, maxLength });
const jsonNumber = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.oneof(
      fc.constant("0"),
      digits(1, 24).map((text) => text.replace(/^0+(?=.)/, "")),
    ),
    fc.oneof(
      fc.constant(""),
      digits(1, 24).map((text) => `.${text}`),
    ),
    fc.oneof(
      fc.constant(""),
      fc.tuple(fc.constantFrom("e", "E", "e+", "e-"), fc.integer({ min: 0, max: 420 })).map(([e, n]) => `${e}${n}`),
    ),
  )
  .map((parts) => parts.join(""));

test("every number keeps its value when written again", () => {
  fc.assert(
    fc.property(
      jsonNumber,
      fc.constantFrom(["", ""], ['{"a":[', " ]}"], ["[0,", "\n,1]"]),
      (number, [before, after]) => {
        const printed = JSON.stringify(parseExact(`${before}${number}${after}`));
        const again = printed.slice(before!.length, printed.length - after!.trim().length);
        assert.equal(exact(again), exact(number));
      },
    ),
    { numRuns: 5_000 },
  );
});

test("numbers at JavaScript's limits", () => {
  for (const text of [
    ...["9007199254740991", "9007199254740993", "-9007199254740993", "123456789012345", "0.1234567890123456789"],
    ...["1e400", "-1e400", "1e-400", "1.2345e-320", "[1e400]", '{"a":1e400}', "1e308", "5e-324"],
  ]) {
    const printed = JSON.stringify(parseExact(text));
    assert.equal(printed.replace("e+", "e"), text);
  }
  assert.equal(parseExact("123456789012345"), 123456789012345);
  assert.equal(parseExact("9007199254740991"), 9007199254740991);
});

test("everything else is the same as with JSON.parse", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => assert.deepEqual(parseExact(text), JSON.parse(text))),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const fails = (parse: (text: string) => unknown): boolean => {
        try {
          parse(text);
          return false;
        } catch (error) {
          assert.ok(error instanceof SyntaxError);
          return true;
        }
      };
      assert.equal(fails(parseExact), fails(JSON.parse));
    }),
  );
});

test("a key called __proto__ is a key", () => {
  const value = parseExact('{"__proto__":{"x":12345678901234567890}}') as object;
  assert.deepEqual(Object.keys(value), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(JSON.stringify(value), '{"__proto__":{"x":12345678901234567890}}');
});

test("scalars as text", () => {
  const texts = ['"a"', "5", "12345678901234567890", "true", "null", "[]", "{}", '{"rawJSON":"1"}'].map(parseExact);
  assert.deepEqual(texts.map(scalarText), ["a", "5", "12345678901234567890", null, null, null, null, null]);
});

test("the result is that of a reviver that keeps each number's text", () => {
  const reviver = (_key: string, value: unknown, { source }: { source?: string }) =>
    typeof value === "number" &&
    source !== undefined &&
    String(value) !== source &&
    (source.length > 15 || /[eE][+-]?\d{3}/.test(source))
      ? JSON.rawJSON(source)
      : value;
  const outcome = (parse: () => unknown): string => {
    try {
      return JSON.stringify(parse());
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
      return "refused";
    }
  };
  const same = (text: string) =>
    assert.equal(
      outcome(() => parseExact(text)),
      outcome(() => JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1])),
      text,
    );
  for (const text of [
    ...["-1.1000000000000", "-1.100000000000", "1.10000000000000", "1.1000000000000", "-0.10000000000000e1"],
    ...["{12345678901234567890:1}", "[12345678901234567890 1]", "01234567890123456789", "-12345678901234567890-1"],
    ...['"12345678901234567890"', '{"12345678901234567890":12345678901234567890}', '"\\\\12345678901234567890"'],
    ...['"12345678901234567890\\', '"a\\"12345678901234567890', '{"__proto__":12345678901234567890}', "1e0400 "],
  ])
    same(text);
  const piece = fc.oneof(
    jsonNumber,
    fc.constantFrom(...'{}[]:,"\\-+. 1eE'),
    fc.constantFrom('"a":', '"\\""', "null", "12345678901234567890", '"12345678901234567890"'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => same(pieces.join(""))),
    { numRuns: 20_000 },
  );
  const value = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      jsonNumber,
      fc.string().map((text) => JSON.stringify(text)),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
      fc
        .array(fc.tuple(fc.string(), tie("value")), { maxLength: 4 })
        .map((members) => `{${members.map(([key, of]) => `${JSON.stringify(key)}:${of}`).join()}}`),
    ),
  })).value;
  fc.assert(fc.property(value, same), { numRuns: 3_000 });
});

test("parsing is linear in the text, wherever its numbers, quotes and backslashes are", () => {
  const fill = (part: string): string => part.repeat(1_000_000 / part.length);
  for (const text of [
    `[${fill("12345678901234567,")}0]`,
    `"${fill("12345678901234567 ")}"`,
    `["${fill('\\"12345678901234567 ')}"]`,
    `[${fill('"12345678901234567",')}0]`,
    `[${fill('"a",12345678901234567,')}0]`,
    `["${fill("\\\\")}",12345678901234567]`,
  ]) {
    const begun = process.cpuUsage();
    parseExact(text);
    const { user } = process.cpuUsage(begun);
    // 0.1 s when written. It took 6 s and 200 s when each number searched the text again.
    assert.ok(user < 3_000_000, `${text.slice(0, 30)}: ${user} µs`);
  }
});
