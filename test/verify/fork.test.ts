import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { generateKey, parseSigner, type Signer } from "../../src/audit/note.ts";
import { encodeDescription, readDescription } from "../../src/vault/description.ts";
import { CHECKPOINT, VAULT_JSON } from "../../src/vault/layout.ts";
import { forgetEarlier, rewriteLog } from "./resign.ts";
import { makeScene, type Scene } from "./scene.ts";

let pristine: Scene;
let scene: Scene;
/** The key that init printed. */
let vkey: string;

before(async () => {
  pristine = await makeScene({}, 2);
});
after(() => pristine[Symbol.asyncDispose]());
beforeEach(async () => {
  scene = await pristine.copy();
  vkey = (await scene.signer()).verifier.vkey;
});
afterEach(() => scene[Symbol.asyncDispose]());

async function entries(): Promise<Uint8Array[]> {
  const { log, head } = await scene.place.log();
  return (await Array.fromAsync(log.entries(0, head.size))).map(({ bytes }) => bytes);
}

/** Names another log key in vault.json, as if it had always been that one. */
async function exchangeKey(): Promise<Signer> {
  const { description } = await readDescription(scene.vault);
  const { skey, vkey } = generateKey(description.log.origin);
  const lock = { mode: "governance", until: Temporal.Instant.from("2040-01-01T00:00:00Z") } as const;
  await scene.vault.put(VAULT_JSON, encodeDescription({ ...description, log: { ...description.log, vkey } }), { lock });
  return parseSigner(skey);
}

async function found(...keys: string[]): Promise<void> {
  const { exit, named } = await scene.verify();
  assert.equal(exit, 4);
  for (const key of keys)
    assert.ok(
      named.some((name) => name.includes(key)),
      `${key}: ${named.join(", ")}`,
    );
}

const forgetState = () => rm(scene.state, { recursive: true });

test("an entry removed and the log signed again with its own key: this machine notices, and so does the vault", async () => {
  const all = await entries();
  await rewriteLog(scene.vault, all.toSpliced(2, 1), await scene.signer());
  await found("checkpoint");
  await forgetState();
  await found(CHECKPOINT);
});

test("an entry replaced by one of the same length: this machine notices, and so does the vault", async () => {
  const all = await entries();
  await rewriteLog(scene.vault, all.with(-1, all.at(-2)!), await scene.signer());
  await found("checkpoint");
  await forgetState();
  await found(CHECKPOINT);
});

test("an entry replaced and the log continued since: this machine notices even if the vault has no memory", async () => {
  const all = await entries();
  await rewriteLog(scene.vault, [...all.with(-1, all.at(-2)!), ...all.slice(-3)], await scene.signer());
  await forgetEarlier(scene.vault, scene.root, CHECKPOINT);
  await found(CHECKPOINT);
  // Without both memories there is nothing to compare with, except objects that no entry mentions now.
  await forgetState();
  assert.equal((await scene.verify()).exit, 0);
});

test("vault.json names another key, which signed the log: its own earlier versions show it", async () => {
  const all = await entries();
  await rewriteLog(scene.vault, all.toSpliced(2, 1), await exchangeKey());
  await forgetState();
  await rm(scene.place.path("keys/log"));
  await found(VAULT_JSON, CHECKPOINT);
});

test("another key, another log, no memory left: only someone who knows the key notices", async () => {
  const all = await entries();
  const kept = all.filter((bytes) => !Buffer.from(bytes).includes("record.stored"));
  await rewriteLog(scene.vault, kept, await exchangeKey());
  for (const key of [VAULT_JSON, CHECKPOINT]) await forgetEarlier(scene.vault, scene.root, key);
  await forgetState();
  // The client's log key file.
  await found(VAULT_JSON);
  // The key as init printed it.
  await rm(scene.place.path("keys/log"));
  const pinned = await scene.verify({ vkey });
  assert.equal(pinned.exit, 4);
  assert.match(pinned.named.join(), new RegExp(VAULT_JSON));
  const ended = await scene.place.here("verify", ["--json", "--vkey", vkey]);
  assert.equal(ended.code, 4, ended.stderr);
  // Without either it looks like a vault in which little was ever stored.
  const { exit, orphans } = await scene.verify();
  assert.equal(exit, 0);
  assert.ok(orphans.length > 0);
});
