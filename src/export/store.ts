import { createHash } from "node:crypto";
import { hasCode } from "../core/error.ts";
import { covers } from "../vault/lock.ts";
import type { Body, BodyProducer, Lock, Sent, Stored } from "../vault/vault.ts";
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
    let sent: Sent | undefined;
    const onSent = (passed: Sent): void => {
      sent = passed;
    };
    // Each pass of a stream is sealed with a new file key, and the record describes the last.
    const again = (produce: BodyProducer): BodyProducer => {
      return () => {
        sent = undefined;
        return produce();
      };
    };
    const sending = typeof body === "function" ? again(body) : body;
    try {
      return await parts.vault.put(key, sending, { lock, holds, onSent, ifAbsent: true });
    } catch (error) {
      if (!hasCode(error, "vault-exists")) throw error;
      const found = sent && (await findSent(parts, key, sent, lock));
      if (found) return found;
      await parts.holds();
      return parts.vault.put(key, body, { lock, holds });
    }
  });
}

/** The object under the key if this call sent it; null if it is a different one or unreadable. */
async function findSent({ vault }: Capturing, key: string, sent: Sent, lock: Lock): Promise<Stored | null> {
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

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
