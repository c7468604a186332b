import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { Secret, SecretRef } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-secret-"));
after(() => rmSync(folder, { recursive: true }));

const CANARY = "canary-4f1d";

async function code(work: () => unknown): Promise<HoldfastError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, "config");
    assert.ok(!`${error.message} ${error.hint}`.includes(CANARY), error.message);
    return error;
  }
  assert.fail("accepted");
}

function fileWith(content: string | Uint8Array, mode = 0o600): SecretRef {
  const path = join(folder, "secret");
  writeFileSync(path, content);
  chmodSync(path, mode);
  return SecretRef.parse("file:./secret", folder);
}

test("a secret prints as [secret] however it is printed, and only reveal() returns it", () => {
  const secret = new Secret(CANARY);
  const holder = { name: "x", nested: [{ secret }] };
  const printed = [
    `${secret}`,
    String(secret),
    `${secret}!`,
    secret.toString(),
    JSON.stringify(holder),
    inspect(secret),
    inspect(holder, { depth: 9, showHidden: true }),
    inspect(secret, { customInspect: false, showHidden: true }),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(structuredClone({ ...secret })),
    String(new Error(`failed with ${secret}`)),
  ];
  for (const text of printed) assert.ok(!text.includes(CANARY), text);
  assert.equal(`${secret}`, "[secret]");
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}');
  assert.equal(inspect({ secret }), "{ secret: [secret] }");
  assert.equal(secret.reveal(), CANARY);
});

test("a reference prints as it was written", () => {
  const reference = SecretRef.parse("env:SOME_KEY", folder);
  assert.equal(`${reference}`, "env:SOME_KEY");
  assert.equal(JSON.stringify({ reference }), '{"reference":"env:SOME_KEY"}');
  assert.equal(inspect({ reference }), "{ reference: env:SOME_KEY }");
  assert.equal(reference.path, undefined);
});

test("relative files are resolved against the config's folder", () => {
  assert.equal(SecretRef.parse("file:keys/a", "/etc/holdfast").path, "/etc/holdfast/keys/a");
  assert.equal(SecretRef.parse("file:../a", "/etc/holdfast").path, "/etc/a");
  assert.equal(SecretRef.parse("file:/run/secrets/a", "/etc").path, "/run/secrets/a");
  assert.equal(SecretRef.parse("file:///run/a%20b", "/etc").path, "/run/a b");
});

test("anything but a reference is refused and never repeated", async () => {
  const literals = [CANARY, "", ` env:${CANARY}`, `env:${CANARY}`, "env:", "env:1A", "env:A B", "ENV:A", "file:"];
  literals.push(
    "file: ",
    `file:~/${CANARY}`,
    `file://host/${CANARY}`,
    `file:a\0${CANARY}`,
    `file: ${CANARY}`,
    "vault:x",
  );
  literals.push(
    "aws-secretsmanager:",
    `aws-secretsmanager: ${CANARY}`,
    `aws-secretsmanager:${CANARY}#`,
    `aws:${CANARY}`,
  );
  literals.push(`aws-secretsmanager:${CANARY}:x`, `aws-secretsmanager:arn:aws:s3:eu-central-1:1:secret:${CANARY}`);
  for (const literal of literals) {
    assert.match((await code(() => SecretRef.parse(literal, folder))).hint ?? "", /env:NAME/);
  }
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      await code(() => SecretRef.parse(`${CANARY}${text}`, folder));
    }),
  );
});

test("a variable is read only when its value is needed", async () => {
  const reference = SecretRef.parse("env:A_KEY", folder);
  assert.equal((await reference.resolve({ A_KEY: "value" })).reveal(), "value");
  assert.equal((await reference.resolve({ A_KEY: "value\n" })).reveal(), "value");
  assert.match((await code(() => reference.resolve({}))).message, /^env:A_KEY is not set$/);
  for (const A_KEY of ["", "\n", "  "])
    assert.match((await code(() => reference.resolve({ A_KEY }))).message, /is empty/);
});

test("exactly one trailing newline is removed from a file", async () => {
  assert.equal((await fileWith("key").resolve()).reveal(), "key");
  assert.equal((await fileWith("key\n").resolve()).reveal(), "key");
  assert.equal((await fileWith("key\r\n").resolve()).reveal(), "key");
  assert.equal((await fileWith("key\n\n").resolve()).reveal(), "key\n");
  assert.equal((await fileWith(" k e y ").resolve()).reveal(), " k e y ");
  assert.equal((await fileWith("a\nb\n").resolve()).reveal(), "a\nb");
});

test("the error for a file that cannot be a secret names the file", async () => {
  const missing = await code(() => SecretRef.parse("file:./nowhere", folder).resolve());
  assert.match(missing.message, /file:\.\/nowhere: there is no file .*nowhere$/);
  await code(() => SecretRef.parse("file:./secret/below", folder).resolve());
  assert.match((await code(() => SecretRef.parse("file:.", folder).resolve())).message, /is a directory/);
  assert.match((await code(() => fileWith("").resolve())).message, /is empty/);
  assert.match((await code(() => fileWith("\n").resolve())).message, /is empty/);
  assert.match((await code(() => fileWith(Uint8Array.of(0x61, 0xff)).resolve())).message, /not UTF-8/);
  assert.equal((await fileWith("k".repeat(65_536)).resolve()).reveal().length, 65_536);
  assert.match((await code(() => fileWith("k".repeat(65_537)).resolve())).message, /more than 65536 bytes/);
});

test("a file that others can read gives a warning and no error", async () => {
  assert.deepEqual(fileWith("key", 0o600).warnings(), []);
  assert.deepEqual(fileWith("key", 0o400).warnings(), []);
  for (const mode of [0o640, 0o604, 0o660]) {
    const reference = fileWith("key", mode);
    assert.match(reference.warnings().join(), /file:\.\/secret: .*chmod 600/);
    assert.equal((await reference.resolve()).reveal(), "key");
  }
  assert.deepEqual(SecretRef.parse("file:./nowhere", folder).warnings(), []);
  assert.deepEqual(SecretRef.parse("env:A", folder).warnings(), []);
});
