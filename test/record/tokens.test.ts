import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { parseExact } from "../../src/io/exact-json.ts";
import { Tokens } from "../../src/record/tokens.ts";

const KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const tokens = new Tokens(new Secret(KEY));
const hmac = (text: string): string => createHmac("sha256", Buffer.from(KEY, "hex")).update(text).digest("hex");

test("subjects, versions, files and lookups match an independent computation from the format", () => {
  assert.equal(tokens.subject("passbase", "id-1"), hmac("identity\0passbase\0id-1").slice(0, 32));
  assert.equal(
    tokens.file("r-1", "f-1", "2024-01-01T00:00:00Z"),
    hmac("file/2\0r-1\0f-1\x002024-01-01T00:00:00Z").slice(0, 32),
  );
  assert.equal(
    tokens.formerFile("f-1", "2024-01-01T00:00:00Z"),
    hmac("file\0f-1\x002024-01-01T00:00:00Z").slice(0, 32),
  );
  // The worked example of docs/FORMAT.md.
  assert.equal(
    tokens.file("37fe6e6c-8de8-489d-8740-1310bf280c9c", "3ad3d8b9-80ab-4c50-a156-4a025014a09c", "2021-09-07T12:49:04Z"),
    "03ccfafbbd37e7d43fa731567e6c3118",
  );
  const raw = parseExact('{"updated":1,"id":"id-1","sequence":9007199254740993}');
  const canonical = '{"id":"id-1","sequence":9007199254740993,"updated":1}';
  assert.equal(tokens.listed("2026-11-23T10:15:00Z", raw), `20261123T101500Z-${hmac(canonical).slice(0, 12)}`);
  assert.equal(
    tokens.version("2026-11-23T10:15:00Z", raw),
    `20261123T101500Z-${hmac(`content/2\0${canonical}`).slice(0, 12)}`,
  );
  assert.equal(tokens.project("passbase", "p-1"), hmac("project\0passbase\0p-1").slice(0, 32));
  assert.equal(tokens.lookup("email", "ann@example.org"), hmac("lookup\0email\0ann@example.org").slice(0, 32));
  assert.equal(tokens.check(), hmac("check\0holdfast").slice(0, 16));
});

const GOLDEN = [
  "81c226c8966a0e35fe3d441b31ec6a9d",
  "10cd01b29c2e2399985a5dd14e92b166",
  "558020ba32008a54",
  "20261123T101500Z-86227fe96722",
  "30e718cbe79d7713feec83434024e912",
  "20261123T101500Z-6df94250806a",
];

/** These must never change: the keys of every vault depend on them. */
test("golden names", () => {
  assert.deepEqual(
    [tokens.subject("passbase", "id-1"), tokens.formerFile("f-1", "2024-01-01T00:00:00Z"), tokens.check()],
    GOLDEN.slice(0, 3),
  );
  assert.equal(tokens.listed("2026-11-23T10:15:00.999Z", {}), GOLDEN[3]);
  assert.equal(tokens.lookup("metadata.customer_id", "CUST-1"), GOLDEN[4]);
  assert.equal(tokens.version("2026-11-23T10:15:00.999Z", {}), GOLDEN[5]);
});

test("a version's name has one form, for any time and content", () => {
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 }).map((ms) => Temporal.Instant.fromEpochMilliseconds(ms));
  fc.assert(
    fc.property(time, fc.jsonValue(), (updated, raw) => {
      const version = tokens.version(updated.toString(), raw);
      assert.match(version, /^\d{8}T\d{6}Z-[0-9a-f]{12}$/);
      const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(version)!;
      const second = Temporal.Instant.from(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
      assert.ok(updated.since(second).total("milliseconds") < 1000 && Temporal.Instant.compare(updated, second) >= 0);
      assert.equal(version, tokens.version(updated.toString(), JSON.parse(JSON.stringify(raw))));
    }),
  );
});

test("different things have different names, also under different keys", () => {
  const other = new Tokens(new Secret(KEY.replace("00", "01")));
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
      const names = [
        tokens.subject("passbase", a),
        tokens.file(a, b, b),
        tokens.formerFile(a, b),
        tokens.formerFile("2", `${a}\0${b}`),
        tokens.lookup("email", a),
        other.subject("passbase", a),
      ];
      assert.equal(new Set(names).size, names.length);
      for (const name of names) assert.match(name, /^[0-9a-f]{32}$/);
      if (a !== b) assert.notEqual(tokens.subject("passbase", a), tokens.subject("passbase", b));
    }),
  );
});

test("an address or a number is found however it was written", () => {
  for (const [name, stored, ...asked] of [
    ["email", "ann@example.org", "Ann@Example.ORG", "  ann@example.org\n"],
    ["email", "\u00e9@example.org", "e\u0301@example.org", "\u00c9@EXAMPLE.ORG"],
    ["document.number", "P-123.45 6", "p123456", "P 12 34 56", "P.1.2.3.4.5.6"],
    ["metadata.customer_id", "Cust-1", " Cust-1 "],
  ] as const) {
    for (const text of asked) assert.equal(tokens.lookup(name, text), tokens.lookup(name, stored), text);
  }
  assert.notEqual(tokens.lookup("metadata.customer_id", "cust-1"), tokens.lookup("metadata.customer_id", "Cust-1"));
  assert.notEqual(tokens.lookup("email", "a.b@example.org"), tokens.lookup("email", "ab@example.org"));
});

test("an invalid lookup key is refused and not repeated", () => {
  for (const key of [
    KEY.slice(1),
    `${KEY}0`,
    KEY.toUpperCase(),
    KEY.replace("00", "0g"),
    ` ${KEY}`,
    `${KEY}\n`,
    "",
    "öffentlich-geheim",
  ]) {
    assert.throws(
      () => new Tokens(new Secret(key)),
      (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, "config");
        if (key !== "") assert.ok(!inspect(error).toLowerCase().includes(key.trim().slice(-16).toLowerCase()));
        return true;
      },
    );
  }
});
