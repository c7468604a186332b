import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { parseRecipients } from "../../src/config/recipients.ts";
import { Secret } from "../../src/config/secret.ts";
import { Opener } from "../../src/seal/open.ts";
import { Sealer } from "../../src/seal/seal.ts";

export interface Pair {
  readonly identity: string;
  readonly recipient: string;
  readonly opener: Opener;
}

export async function pair(kind: "classical" | "post-quantum" = "classical"): Promise<Pair> {
  const identity = kind === "classical" ? await generateX25519Identity() : await generateHybridIdentity();
  return { identity, recipient: await identityToRecipient(identity), opener: new Opener([new Secret(identity)]) };
}

export async function sealerFor(...pairs: readonly Pair[]): Promise<Sealer> {
  return new Sealer(await parseRecipients(pairs.map(({ recipient }) => recipient)));
}

/** Bytes without two equal chunks, the same each time. */
export function bytes(size: number): Buffer {
  const out = Buffer.alloc(size);
  for (let at = 0; at < size; at += 32) createHash("sha256").update(String(at)).digest().copy(out, at);
  return out;
}

export async function* inPieces(whole: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += piece) yield whole.subarray(at, at + piece);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Everything a stream released, and its error, if any. */
export async function released(open: Promise<AsyncIterable<Uint8Array>>): Promise<{ got: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  let error: unknown;
  try {
    for await (const chunk of await open) chunks.push(chunk);
  } catch (thrown) {
    error = thrown;
  }
  return { got: Buffer.concat(chunks), error };
}

/** Why tests with Debian's age command are skipped. False if it is installed. */
export const noAge: string | false =
  spawnSync("age", ["--version"]).error === undefined ? false : "the age command is not installed: apt-get install age";

/** Decrypts with the age command, written in Go by age's author. */
export function ageDecrypt(identityFile: string, sealed: Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync("age", ["-d", "-i", identityFile], {
    input: sealed,
    maxBuffer: sealed.length + 65_536,
  });
  assert.equal(status, 0, String(stderr));
  return stdout;
}
