import { createHash, type Hash } from "node:crypto";
import { hasCode } from "../core/error.ts";
import { covers } from "../vault/lock.ts";
import type { Body, Lock, Stored } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";

/**
 * Stores a sealed object under its key. An object that is there already is never taken for this one: a crash may have
 * left it, sealed to former recipients or of an earlier answer, or someone else may have put it there, and sealed
 * bytes cannot be compared with what they should hold. It stays as an older version until its lock ends.
 *
 * The one exception is what this very call sent: where the store honours create-only, an attempt whose answer was lost
 * and that arrived all the same is met by the next attempt. Its bytes are read back and compared.
 */
export async function storeSealed(
  parts: Capturing,
  key: string,
  body: Body,
  lock: Lock,
  /** Whether what lies there is known, and gets a version beside it. */
  fresh = false,
): Promise<Stored> {
  return parts.vaultQueue.add(async () => {
    // Also for what `lock` was computed from: a clock that jumped ahead would lock for as much too long.
    await parts.holds();
    const { holds } = parts;
    // Create-only also keeps an attempt that was given up, and arrives late, from hiding the one that is logged.
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

/** The object under the key if it is the one that was just sent; null if it is another, or cannot be read. */
async function findSent({ vault }: Capturing, key: string, sending: Sending, lock: Lock): Promise<Stored | null> {
  const { sent } = sending;
  if (!sent) return null;
  try {
    const { versionId, etag, size, sha256, lock: found } = await vault.head(key);
    if (size !== sent.size || (sha256 !== null && sha256 !== sent.sha256)) return null;
    // The digest beside an object is only a note, which anyone who can write there can forge.
    if ((await digest(await vault.stream(key, versionId))) !== sent.sha256) return null;
    if (!covers(found, lock)) await vault.lock(key, versionId, lock);
    return { key, versionId, etag, size, sha256: sent.sha256 };
  } catch (error) {
    if (hasCode(error, "vault-missing", "vault-denied", "vault-locked", "malformed")) return null;
    throw error;
  }
}

/** A body, and what its last whole pass amounted to. Every pass of a producer is sealed with another key. */
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
