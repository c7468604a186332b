import { createHash } from "node:crypto";
import { hasCode } from "../error.ts";
import { covers } from "../vault/lock.ts";
import type { Body, Lock, Stored } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";

/**
 * Stores a sealed object under its deterministic key. What an earlier run or attempt stored and nobody came to log is
 * taken up instead of stored twice: the store itself says so where it honours create-only, so that an attempt which was
 * given up and arrives late hides nothing either; elsewhere the run looks first, when it has reason to.
 */
export async function storeSealed(
  parts: Capturing,
  key: string,
  body: Body,
  lock: Lock,
  /** Whether what lies there is known and to be stored anew. */
  fresh = false,
): Promise<Stored> {
  return parts.vaultQueue.add(async () => {
    // Also for what `lock` was computed from: a clock that jumped ahead would lock for as much too long.
    parts.holds();
    const { holds } = parts;
    if (fresh) return parts.vault.put(key, body, { lock, holds });
    const ifAbsent = parts.conditional.ifNoneMatch && parts.mayTakeUp;
    if (!ifAbsent && parts.lookFirst) {
      const found = await takeUp(parts, key, lock);
      if (found) {
        await drain(body);
        return found;
      }
    }
    try {
      return await parts.vault.put(key, body, { lock, holds, ifAbsent });
    } catch (error) {
      if (!hasCode(error, "vault-exists")) throw error;
      return (await takeUp(parts, key, lock)) ?? parts.vault.put(key, body, { lock, holds });
    }
  });
}

/** The object that lies under this key already, its lock brought to what it must be; null where it cannot be used. */
async function takeUp({ vault, log }: Capturing, key: string, lock: Lock): Promise<Stored | null> {
  try {
    const info = await vault.head(key);
    const sha256 = info.sha256 ?? (await digest(await vault.stream(key, info.versionId)));
    if (!covers(info.lock, lock)) await vault.lock(key, info.versionId, lock);
    log.info("took up an object that no entry mentioned", { key });
    return { key, versionId: info.versionId, etag: info.etag, size: info.size, sha256 };
  } catch (error) {
    // Not there; or these credentials may not read it back, and then it is stored once more.
    if (hasCode(error, "vault-missing", "vault-denied", "vault-locked")) return null;
    throw error;
  }
}

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

/** The producer of a body may have more to tell than its bytes (their digest): it is run to its end. */
async function drain(body: Body): Promise<void> {
  if (body instanceof Uint8Array) return;
  for await (const _ of await body());
}
