import assert from "node:assert/strict";
import { test } from "node:test";
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { Opener, parseIdentityFile } from "../../src/seal/open.ts";
import { holds } from "./holds.ts";
import { mutants } from "./mutants.ts";

const identity = await generateX25519Identity();
const age = new Encrypter();
age.addRecipient(await identityToRecipient(identity));
age.addRecipient(await identityToRecipient(await generateX25519Identity()));
const sealed = await age.encrypt(Buffer.from("what was sealed".repeat(20)));
const opener = new Opener([new Secret(identity)]);

/** In pieces, so that a header can end anywhere. */
async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function openAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of await opener.openStream(bytes));
}

test("sealed bytes, whole and as a stream", async (t) => {
  const inputs = mutants(fc.constant(sealed));
  await holds(t, 1500, inputs, (bytes) => opener.open(bytes), "key", "unverified");
  await holds(t, 500, inputs, (bytes) => openAll(pieces(bytes, 7)), "key", "unverified");
});

const header = "age-encryption.org/v1\n";
/** A valid stanza for an unknown recipient. */
const stanza = `-> X25519 ${"A".repeat(43)}\n${"A".repeat(43)}\n`;
const scrypt = (work: number) => `-> scrypt ${"A".repeat(22)} ${work}\n${"A".repeat(43)}\n`;
const mac = `--- ${"A".repeat(43)}\n`;

test("a passphrase header with any work factor costs nothing: passphrases are not supported", async (t) => {
  await holds(
    t,
    100,
    fc.integer({ min: 0, max: 10_000 }),
    (work) => opener.open(Buffer.from(`${header}${scrypt(work)}${mac}${"\0".repeat(40)}`)),
    ...(["key", "unverified"] as const),
  );
  for (const work of [1, 20, 22, 30, 62]) {
    const begun = process.cpuUsage();
    await assert.rejects(opener.open(Buffer.from(`${header}${scrypt(work)}${mac}${"\0".repeat(40)}`)));
    assert.ok(process.cpuUsage(begun).user < 1_000_000);
  }
});

test("reading an endless header stops", async () => {
  for (const [begin, line] of [
    ...[stanza, "-> X25519 ", "A".repeat(64), `${"A".repeat(64)}\n`, "\n"].map((each) => [stanza, each]),
    [`${stanza}--- `, "A"],
  ] as const) {
    let sent = 0;
    const endless = async function* () {
      const chunk = Buffer.from(line.repeat(Math.ceil(65_536 / line.length)));
      yield Buffer.from(header + begin);
      for (; sent < 2 ** 31; sent += chunk.length) yield chunk;
    };
    const before = process.memoryUsage().rss;
    await assert.rejects(openAll(endless()), { code: "unverified" });
    assert.ok(sent < 64 * 2 ** 20, `${sent} bytes were read of ${JSON.stringify(line.slice(0, 12))}`);
    assert.ok(process.memoryUsage().rss - before < 512 * 2 ** 20);
  }
});

test("a header with the most stanzas allowed is processed quickly", async () => {
  const share = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const most = `-> X25519 ${share}\n${"A".repeat(43)}\n`.repeat(600);
  const begun = process.cpuUsage();
  await assert.rejects(opener.open(Buffer.from(`${header}${most}${mac}${"\0".repeat(40)}`)), { code: "key" });
  assert.ok(process.cpuUsage(begun).user < 5_000_000);
});

test("identity files written by Windows, and invalid ones", () => {
  const parsed = (text: string) => parseIdentityFile(text, (key) => new Secret(key)).map((key) => key.reveal());
  for (const text of [`\ufeff${identity}\r\n`, `  ${identity} \n`, `\ufeff# made today\r\n\r\n\t${identity}`])
    assert.deepEqual(parsed(text), [identity]);
  const utf16 = Buffer.from(`\ufeff${identity}\r\n`, "utf16le").toString("utf8");
  for (const [text, said] of [
    [utf16, /UTF-16/],
    ["age1qqqq\n", /public key/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\n", /not an age identity file/],
    ["", /not an age identity file/],
  ] as const)
    assert.throws(() => parsed(text), { code: "key", message: said });
});

test("identity files", async (t) => {
  const file = Buffer.from(`# created: today\n${identity}\n`);
  await holds(
    t,
    2000,
    mutants(fc.constant(file)),
    (bytes) => new Opener(parseIdentityFile(bytes.toString(), (key) => new Secret(key))),
    "key",
  );
});
