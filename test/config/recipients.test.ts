import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { generateHybridIdentity, generateIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { parseRecipients } from "../../src/config/recipients.ts";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { MAX_HEADER } from "../../src/core/max-header.ts";
import { headerLength } from "../../src/seal/header.ts";
import { Opener } from "../../src/seal/open.ts";
import { Sealer } from "../../src/seal/seal.ts";

const identity = await generateIdentity();
const officer = await identityToRecipient(identity);
const escrow = await identityToRecipient(await generateIdentity());
const hybridIdentity = await generateHybridIdentity();
const hybrid = await identityToRecipient(hybridIdentity);
const otherHybrid = await identityToRecipient(await generateHybridIdentity());
/** P-256, from hardware; generated for this test. */
const tag = "age1tag1qd8dq5g353qsr6ymcg6yk44yxp875thf3l26u0afjgmxf4s0v3esyw96n9t";

async function refused(list: readonly string[]): Promise<string> {
  try {
    await parseRecipients(list);
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, "recipients");
    return error.message;
  }
  assert.fail(`accepted ${list}`);
}

test("valid lists keep their order and have fingerprints and a kind", async () => {
  const both = await parseRecipients([officer, escrow]);
  assert.deepEqual(both.strings, [officer, escrow]);
  assert.equal(both.kind, "classical");
  const hash = createHash("sha256").update(officer).digest("hex");
  assert.equal(both.fingerprints[0], hash.slice(0, 16));
  assert.equal(both.fingerprints.length, 2);
  assert.equal((await parseRecipients([officer, tag])).kind, "classical");
  assert.equal((await parseRecipients([hybrid, otherHybrid])).kind, "post-quantum");
});

test("an empty list is refused", async () => {
  assert.match(await refused([]), /^recipients: there are no recipients/);
});

test("the same recipient twice is refused", async () => {
  assert.match(await refused([officer, escrow, officer]), /^recipients\[2\]: duplicates recipients\[0\]/);
});

test("post-quantum and classical recipients cannot be mixed, in either order", async () => {
  assert.match(
    await refused([officer, hybrid]),
    /^recipients\[1\]: a post-quantum recipient in a list with a classical one/,
  );
  assert.match(await refused([hybrid, otherHybrid, officer]), /^recipients\[2\]: a classical recipient/);
  assert.match(await refused([tag, hybrid]), /^recipients\[1\]: a post-quantum/);
});

test("a private key is refused and not repeated", async () => {
  for (const key of [identity, identity.toLowerCase(), ` ${identity}`, `# created: \n${identity}`, hybridIdentity]) {
    const message = await refused([officer, key]);
    assert.match(message, /^recipients\[1\]: a private key/);
    assert.ok(!message.toLowerCase().includes(key.trim().slice(-20).toLowerCase()));
  }
});

test("low-order points are refused: anyone can open what is sealed to them", async () => {
  const points = [
    "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
    "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
    "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
    "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8",
    "age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m",
    "age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy",
    "age1amlllllllllllllllllllllllllllllllllllllllllllllllalselrwrv",
    // Not a point on P-256 at all.
    "age1tag1qtllllllllllllllllllllllllllllllllllllllllllllllllll73uhzp3",
  ];
  for (const point of points) assert.match(await refused([point]), /^recipients\[0\]: .* is damaged/);
});

test("31 and 33 bytes with a valid checksum are refused", async () => {
  await refused(["age1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyyfw987"]);
  await refused(["age1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjtwme33"]);
});

test("everything that is not a recipient is refused, and every position is named", async () => {
  const wrong = ["", "age1", "age", officer.toUpperCase(), "ssh-ed25519 AAAA", "age1yubikey1qxyz", `${officer} `, "x"];
  const lines = (await refused([officer, ...wrong])).split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(":")[0]),
    wrong.map((_, index) => `recipients[${index + 1}]`),
  );
});

test("changing any one character is detected", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(officer.length - 1),
      fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7l1bA "),
      async (at, to) => {
        fc.pre(officer[at] !== to);
        await refused([officer.slice(0, at) + to + officer.slice(at + 1)]);
      },
    ),
  );
});

test("a placeholder of the documents is called one", () =>
  assert.rejects(parseRecipients(["age1…"]), /age1… is a placeholder; write the whole public key/));

test("as many post-quantum recipients as a header holds, and not one more", async () => {
  const made = await Promise.all(Array.from({ length: 44 }, () => generateHybridIdentity()));
  const list = await Promise.all(made.map((identity) => identityToRecipient(identity)));
  const most = Number(/list at most (\d+) of these/.exec(await refused(list))?.[1]);
  assert.equal(most, 42);
  assert.match(await refused(list.slice(0, most + 1)), new RegExp(`^recipients\\[${most}\\]: more recipients than`));
  // What is written for that many can be read by the last of them.
  const sealed = await new Sealer(await parseRecipients(list.slice(0, most))).seal(Buffer.from("text"));
  const opener = new Opener([new Secret(made[most - 1]!)]);
  assert.equal(Buffer.from(await opener.open(sealed)).toString(), "text");
  // One more would not be: the limit is no lower than it must be.
  const one = headerLength(await new Sealer(await parseRecipients(list.slice(0, 1))).seal(Buffer.from("text")));
  assert.ok(headerLength(sealed) + (one - 70) > MAX_HEADER);
});
