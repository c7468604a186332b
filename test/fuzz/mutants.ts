import fc from "fast-check";
import { anyCharacter } from "./character.ts";

/** Text that parsers trip over: extreme numbers, empty lines, other alphabets, and the formats' own marks. */
const WORDS = [
  ...[
    "",
    "\n",
    "\n\n",
    " ",
    "0",
    "-1",
    "007",
    "1e9",
    "0x10",
    "9007199254740991",
    "9007199254740992",
    "99999999999999999999",
  ],
  ...[
    "null",
    "true",
    "[]",
    "{}",
    '"',
    "\\u0000",
    "\u2014 ",
    "\u2014 x AAAAAAAA\n",
    "+",
    "=",
    "A".repeat(1000),
    "\ufeff",
    "\u202e",
  ],
  ...[
    "age-encryption.org/v1\n",
    "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\n",
    "-> X25519 ",
    "---",
    "--- \n",
    "x001/x234/067",
    ".p/256",
  ],
  ...[
    "__proto__",
    "constructor",
    "2026-02-30T00:00:00Z",
    "-271821-04-20T00:00:00Z",
    "[".repeat(5000),
    '{"a":'.repeat(5000),
  ],
].map((word) => Buffer.from(word));

const bytes = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...WORDS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80])),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)) },
);

const edit = fc.record({
  kind: fc.constantFrom("flip", "insert", "overwrite", "cut", "drop", "repeat"),
  at: fc.nat(1_000_000),
  length: fc.nat(64),
  bytes,
});

/** Valid input with up to five mutations; sometimes completely different input. */
export function mutants(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  const mutated = fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 5 })).map(([input, edits]) => {
    let out = Buffer.from(input);
    for (const { kind, at, length, bytes } of edits) {
      const from = at % (out.length + 1);
      const [head, tail] = [out.subarray(0, from), out.subarray(from)];
      const part = out.subarray(from, from + length);
      if (kind === "flip" && out.length > 0) out[at % out.length]! ^= 1 << (length % 8);
      if (kind === "insert") out = Buffer.concat([head, bytes, tail]);
      if (kind === "overwrite") out = Buffer.concat([head, bytes, tail.subarray(bytes.length)]);
      if (kind === "cut") out = Buffer.from(head);
      if (kind === "drop") out = Buffer.concat([head, tail.subarray(length)]);
      if (kind === "repeat") out = Buffer.concat([head, part, part, part, tail]);
    }
    return out;
  });
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.string({ unit: anyCharacter, maxLength: 300 }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
  );
  return fc.oneof({ weight: 9, arbitrary: mutated }, { weight: 1, arbitrary: anything });
}
