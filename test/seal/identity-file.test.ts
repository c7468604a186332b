import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { Opener, parseIdentityFile } from "../../src/seal/open.ts";
import { bytes, noAge, pair, sealerFor } from "./pair.ts";

const parse = (text: string): Secret[] => parseIdentityFile(text, (key) => new Secret(key));
const [classical, hybrid] = [await pair(), await pair("post-quantum")];

function refusal(text: string): HoldfastError {
  try {
    new Opener(parse(text));
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, "key");
    return error;
  }
  assert.fail("accepted");
}

test("reads keys with comments, empty lines and either line ending", () => {
  const [a, b] = [classical.identity, hybrid.identity];
  for (const [text, keys] of [
    [a, [a]],
    [`${a}\n`, [a]],
    [`# created: 2026-11-23T10:15:00Z\n# public key: ${classical.recipient}\n${a}\n`, [a]],
    [`# created\r\n\r\n${a}\r\n${b}\r\n`, [a, b]],
    [`${a}\n  \n# between\n${b}\n\n`, [a, b]],
  ] as const) {
    const found = parse(text);
    assert.deepEqual(
      found.map((key) => key.reveal()),
      keys,
    );
    assert.ok(!inspect(found).includes(a));
    new Opener(found);
  }
});

test("each of several keys opens", async () => {
  const opener = new Opener(parse(`${classical.identity}\n${hybrid.identity}\n`));
  for (const one of [classical, hybrid]) {
    const sealed = await (await sealerFor(one)).seal(bytes(100));
    assert.deepEqual(Buffer.from(await opener.open(sealed)), bytes(100));
  }
});

test("reads what age-keygen writes", { skip: noAge }, () => {
  const { stdout } = spawnSync("age-keygen", { encoding: "utf8" });
  assert.match(stdout, /^# created/);
  assert.equal(parse(stdout).length, 1);
});

test("anything else is refused, and the error repeats none of it", () => {
  const key = classical.identity;
  const damaged = key.slice(0, -1) + (key.endsWith("Q") ? "P" : "Q");
  for (const text of [
    ...["", "\n", "# only a comment\n", "hunter2-my-password", classical.recipient, `${key}\nmore`],
    ...[key.toLowerCase(), damaged, key.slice(0, -5), `${key}A`, "AGE-SECRET-KEY-1", "AGE-PLUGIN-YUBIKEY-1QQQ"],
    ...[`${key} ${key}`, `${key}\r${key}`, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n"],
    "age-encryption.org/v1\n-> scrypt c2FsdA 18\n",
  ]) {
    const shown = inspect(refusal(text), { depth: 10 });
    for (const word of text.split(/\s+/).filter((word) => word.length > 15)) {
      assert.ok(!shown.includes(word), word);
      assert.ok(!shown.includes(word.slice(20, 45)) || word.length < 45, word);
    }
  }
});

test("any text is either keys or refused", () => {
  const line = fc.oneof(
    fc.constantFrom(classical.identity, hybrid.identity, "# c", ""),
    fc.string(),
    fc.constant("AGE-SECRET-KEY-"),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.constantFrom("\n", "\r\n", "\r"), (lines, end) => {
      try {
        new Opener(parse(lines.join(end)));
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === "key");
      }
    }),
  );
});
