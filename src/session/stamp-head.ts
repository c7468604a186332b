import { createHash } from "node:crypto";
import { readAnchors } from "../audit/timestamp/authority.ts";
import { MAX_TOKEN } from "../audit/timestamp/token.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import { firstMode } from "../retention/first-lock.ts";
import { timestampKey } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { Vault } from "../vault/vault.ts";
import type { Session } from "./client.ts";

interface Log {
  readonly vault: Vault;
  readonly writer: AuditWriter;
  readonly now: Clock;
}

/**
 * Gets a time stamp for the log's current checkpoint, if the client has an authority, and stores it next to the
 * checkpoint. Returns its exact bytes. If the authority is unreachable, or its answer fails the check, it only logs a
 * warning: the next run's checkpoint covers this one.
 */
export async function stampHead(
  config: ClientConfig,
  { console, signal }: Session,
  { vault, writer, now }: Log,
): Promise<Uint8Array | undefined> {
  const { id, log, retention } = config;
  const { size, note } = writer.head;
  if (log.timestamps === undefined || size === 0 || signal.aborted) return undefined;
  try {
    const key = timestampKey(size);
    const there = await vault.read(key, MAX_TOKEN).catch((error: unknown) => {
      if (!hasCode(error, "vault-missing")) throw error;
    });
    if (there) return there.bytes;
    const { url, ca } = log.timestamps;
    const digest = createHash("sha256").update(note).digest("hex");
    const { requestTimestamp } = await import("../audit/timestamp/request.ts");
    const { bytes, authority } = await requestTimestamp(digest, { url, anchors: await readAnchors(ca) }, { signal });
    await vault.put(key, bytes, { lock: lockFor(firstMode(config), retention.initialLock, now()) });
    console.log.info(`checkpoint stamped by ${authority}`, { client: id, count: size });
    return bytes;
  } catch (error) {
    console.log.warn("checkpoint not time-stamped; the next run's time stamp will cover it", {
      client: id,
      ...errorFields(error),
    });
    return undefined;
  }
}
