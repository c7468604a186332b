import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fileKey, foldersOf, type ObjectKey, parseKey, recordKey } from "../../src/vault/layout.ts";

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits });
const version = fc
  .tuple(fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }), hex(12))
  .map(([date, digest]) => `${date.toISOString().replace(/[-:]|\.\d+/g, "")}-${digest}`);
const name: fc.Arbitrary<ObjectKey> = fc.oneof(
  fc.tuple(hex(32), version).map(([subject, version]) => ({ kind: "record" as const, subject, version })),
  fc.tuple(hex(32), hex(32)).map(([subject, file]) => ({ kind: "file" as const, subject, file })),
);
const format = (of: ObjectKey): string =>
  of.kind === "record" ? recordKey(of.subject, of.version) : fileKey(of.subject, of.file);

test("a written key parses into the same parts and is in a folder of its subject", () => {
  fc.assert(
    fc.property(name, (of) => {
      const key = format(of);
      assert.deepEqual(parseKey(key), of);
      assert.ok(key.startsWith(foldersOf(of.subject)[of.kind === "record" ? 0 : 1]));
    }),
  );
});

test("a key with one character changed, added or removed names another object or none", () => {
  const added = fc.oneof(fc.string({ maxLength: 1 }), fc.constantFrom("/", ".", "..", "\n", "\0", "A", "0"));
  fc.assert(
    fc.property(name, fc.integer({ min: 0, max: 1 }), added, (of, removed, added) => {
      const key = format(of);
      for (let at = 0; at <= key.length; at += 1) {
        const changed = key.slice(0, at) + added + key.slice(at + removed);
        const read = parseKey(changed);
        if (changed.length !== key.length) assert.equal(read, null);
        else if (read !== null) assert.equal(format(read), changed);
      }
    }),
  );
});

test("any other text is not a key", () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(parseKey(text), null)));
});
