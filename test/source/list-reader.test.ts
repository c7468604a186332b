import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type List, ListReader } from "../../src/source/list-reader.ts";

/** Split at these positions, anywhere in the text. */
function read(text: string, cuts: readonly number[] = []): List {
  const bytes = Buffer.from(text);
  const reader = new ListReader();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  places.slice(1).forEach((place, at) => {
    reader.push(bytes.subarray(places[at], place));
  });
  return reader.finish();
}

const member = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.constantFrom('"', "\\", "]},{[", "data", 'a"b\\"'),
);
const element = fc.oneof(
  fc.dictionary(fc.oneof(fc.constantFrom("id", "data", 'i"d', "__proto__"), fc.string()), member),
  member,
);
const answer = fc.record(
  { cursor: member, data: fc.array(element, { maxLength: 5 }), other: member },
  { requiredKeys: ["data"] },
);

test("however it is split, the elements and the rest are what JSON.parse reads", () => {
  fc.assert(
    fc.property(
      answer,
      fc.array(fc.nat(10_000), { maxLength: 8 }),
      fc.constantFrom("", "  ", "\t"),
      (value, cuts, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { frame, elements } = read(text, cuts);
        const whole = JSON.parse(text);
        assert.deepEqual(JSON.parse(frame), { ...whole, data: [] });
        assert.deepEqual(
          elements.map(({ text }) => JSON.parse(text!)),
          whole.data,
        );
        elements.forEach(({ id }, at) => {
          const named = whole.data[at]?.id;
          const isObject =
            whole.data[at] !== null && typeof whole.data[at] === "object" && !Array.isArray(whole.data[at]);
          const short = isObject && typeof named === "string" && named.length < 200;
          assert.equal(id === undefined ? undefined : JSON.parse(id), short ? named : undefined);
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

test("anything but JSON is not accepted as a list, and only its size can cause an exception", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'{}[]",:\\ d', '"data"', "null", '"id"'), { maxLength: 40 }),
      fc.array(fc.nat(80), { maxLength: 4 }),
      (words, cuts) => {
        const text = words.join("");
        const { frame, elements } = read(text, cuts);
        let whole: unknown;
        try {
          whole = JSON.parse(text);
        } catch {
          const isRefused = [frame, ...elements.map(({ text }) => text!)].some((part) => {
            try {
              JSON.parse(part);
              return false;
            } catch {
              return true;
            }
          });
          assert.ok(isRefused, text);
          return;
        }
        if (elements.length > 0) assert.ok(typeof whole === "object" && whole !== null && "data" in whole, text);
      },
    ),
    { numRuns: 20_000 },
  );
});

for (const [what, large] of [
  ["256 KiB", JSON.stringify("x".repeat(256 * 1024))],
  ["20,000 values", `[${"{},".repeat(20_000)}{}]`],
  ["deep nesting", "[".repeat(30_000) + "]".repeat(30_000)],
] as const) {
  test(`an element of more than ${what} is dropped except its id, and the others are read`, () => {
    for (const broken of [`{"id":"b","metadata":${large}}`, `{"metadata":${large},"id":"b"}`]) {
      const { frame, elements } = read(
        `{"cursor":{"next":"n"},"data":[{"id":"a"},${broken},{"id":"c"}],"x":1}`,
        [1000, 5000],
      );
      assert.equal(frame, '{"cursor":{"next":"n"},"data":[],"x":1}');
      assert.deepEqual(
        elements.map(({ text, id }) => [text, id]),
        [
          ['{"id":"a"}', '"a"'],
          [undefined, '"b"'],
          ['{"id":"c"}', '"c"'],
        ],
      );
    }
  });
}

test("holds only as much as may be parsed at once: later elements are named by their id", () => {
  const each = (at: number) => `{"id":"${at}","metadata":"${"x".repeat(200 * 1024)}"}`;
  const { elements } = read(`{"data":[${Array.from({ length: 100 }, (_, at) => each(at)).join(",")}]}`);
  const held = elements.filter(({ text }) => text !== undefined);
  assert.equal(held.length, 40);
  assert.deepEqual(
    elements.map(({ id }) => id),
    Array.from({ length: 100 }, (_, at) => `"${at}"`),
  );
});

test("too many elements, or too much beside them, is refused", () => {
  assert.equal(read(`{"data":[${Array(1_000).fill("1").join(",")}]}`).elements.length, 1_000);
  assert.throws(() => read(`{"data":[${Array(1_001).fill("1").join(",")}]}`), RangeError);
  const beside = (length: number) => `{"data":[],"x":"${"x".repeat(length)}"}`;
  read(beside(64 * 1024 - 18));
  assert.throws(() => read(beside(64 * 1024 - 17)), RangeError);
});
