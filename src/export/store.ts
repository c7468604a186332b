import { createHash, type Hash } from "node:crypto";
import { hasCode } from "../core/error.ts";
import { covers } from "../vault/lock.ts";
import type { Body, Lock, Stored } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";

/**
 * Stores a sealed object under its key. An existing object never counts as this one: a crash may have left it, sealed to
 * former recipients or with an earlier answer, or an attacker may have put it there, and sealed bytes cannot be compared
 * with their plaintext. It remains as an older version until its lock ends.
 *
 * The one exception is an object that this call sent. On a store with create-only writes, the next attempt finds an
 * earlier one whose answer was lost. Its bytes are read back and compared.
 */
export async function storeSealed(
  parts: Capturing,
  key: string,
  body: Body,
  lock: Lock,
  /** Whether an object is known to exist there, so that this becomes a new version of it. */
  fresh = false,
): Promise<Stored> {
  return parts.vaultQueue.add(async () => {
    // Also protects the lock time: if the clock jumped ahead, the lock would last too long.
    await parts.holds();
    const { holds } = parts;
    // Create-only also keeps an abandoned attempt that arrives late from hiding the logged version.
    if (fresh || !parts.conditional.ifNoneMatch) return parts.vault.put(key, body, { lock, holds });
    const sending = new Sending(body);
    try {
      return await parts.vault.put(key, sending.body, { lock, holds, ifAbsent: true });
    } catch (error) {
      if (!hasCode(error, "vault-exists")) throw error;
      const sent = await findSent(parts, key, sending, lock);
      if (sent) return sent;
      await parts.holds();
      return parts.vault.put(key, body, { lock, holds });
    }
  });
}

/** The object under the key if this call sent it; null if it is a different one or unreadable. */
async function findSent({ vault }: Capturing, key: string, sending: Sending, lock: Lock): Promise<Stored | null> {
  const { sent } = sending;
  if (!sent) return null;
  try {
    const { versionId, etag, size, sha256, lock: found } = await vault.head(key);
    if (size !== sent.size || (sha256 !== null && sha256 !== sent.sha256)) return null;
    // Anyone who can write there can forge the digest in an object's metadata.
    if ((await digest(await vault.stream(key, versionId))) !== sent.sha256) return null;
    if (!covers(found, lock)) await vault.lock(key, versionId, lock);
    return { key, versionId, etag, size, sha256: sent.sha256 };
  } catch (error) {
    if (hasCode(error, "vault-missing", "vault-denied", "vault-locked", "malformed")) return null;
    throw error;
  }
}

/** A body, and the size and digest of its last complete pass. Each pass is sealed with a new file key. */
class Sending {
  readonly body: Body;
  #sent: { readonly size: number; readonly sha256: string } | undefined;

  constructor(body: Body) {
    if (body instanceof Uint8Array) {
      this.body = body;
      return;
    }
    this.body = async () => {
      this.#sent = undefined;
      return this.#measured(await body());
    };
  }

  get sent(): { readonly size: number; readonly sha256: string } | undefined {
    if (!(this.body instanceof Uint8Array)) return this.#sent;
    return { size: this.body.length, sha256: createHash("sha256").update(this.body).digest("hex") };
  }

  async *#measured(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const hash: Hash = createHash("sha256");
    let size = 0;
    for await (const chunk of stream) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    this.#sent = { size, sha256: hash.digest("hex") };
  }
}

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
