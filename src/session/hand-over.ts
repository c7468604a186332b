import { randomBytes } from "node:crypto";
import { openNote, type Signer } from "../audit/note.ts";
import { AuditWriter } from "../audit/writer.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { timestamp } from "../core/timestamp.ts";
import { firstMode } from "../retention/first-lock.ts";
import { encodeDescription, type VaultDescription } from "../vault/description.ts";
import { VAULT_JSON } from "../vault/layout.ts";
import { Lease } from "../vault/lease.ts";
import { lockFor } from "../vault/lock.ts";
import type { Vault } from "../vault/vault.ts";
import { signerOf } from "./another-key.ts";
import type { Session } from "./client.ts";

/**
 * Hands the log over from `log.previousKey` to `log.key`. Both keys sign one checkpoint, over an entry that names both;
 * then vault.json names the new key. Safe to repeat after a crash at any point.
 */
export async function handOver(
  vault: Vault,
  config: ClientConfig,
  description: VaultDescription,
  next: Signer,
  { now }: Session,
): Promise<VaultDescription> {
  const previous = await openPrevious(config, description);
  await using opened = new AsyncDisposableStack();
  const lease = await Lease.acquire(vault, { job: "init", now });
  opened.defer(() => lease.release());
  const lock = { mode: firstMode(config), initial: config.retention.initialLock };
  const holds = (): void => lease.check();
  const options = {
    vault,
    signer: previous,
    state: config.state,
    conditional: description.store ?? { ifNoneMatch: false, ifMatch: false },
    lock,
    now,
    holds,
  };
  // Only the previous key signs entries that an earlier run journaled but did not log: the first checkpoint with both
  // signatures must be the one of the hand-over.
  await (await AuditWriter.open(options)).close();
  const writer = await AuditWriter.open({ ...options, cosigner: next });
  opened.defer(() => writer.close());
  if (!isSignedBy(writer.head.note, next)) {
    await writer.append({
      type: "key.changed",
      time: timestamp(now()),
      run: `init-${randomBytes(3).toString("hex")}`,
      from: previous.verifier.vkey,
      to: next.verifier.vkey,
    });
    await writer.flush();
  }
  const { origin, vkey, former = [] } = description.log;
  const changed = { ...description, log: { origin, vkey: next.verifier.vkey, former: [vkey, ...former] } };
  await vault.put(VAULT_JSON, encodeDescription(changed), { lock: lockFor(lock.mode, lock.initial, now()), holds });
  return changed;
}

async function openPrevious({ log }: ClientConfig, { log: { vkey } }: VaultDescription): Promise<Signer> {
  const hint = "Set log.previousKey to the key in vault.json, and log.key to the new one.";
  if (log.previousKey === undefined) {
    throw new HoldfastError("config", `${log.key.reference} is not the log key of this vault`, { hint });
  }
  const previous = await signerOf(log.previousKey, log.origin);
  if (previous.verifier.vkey === vkey) return previous;
  throw new HoldfastError("config", `${log.previousKey.reference} is not the log key of this vault either`, { hint });
}

function isSignedBy(note: Uint8Array, signer: Signer): boolean {
  try {
    return openNote(note, [signer.verifier]).verified.length > 0;
  } catch (error) {
    if (hasCode(error, "unverified")) return false;
    throw error;
  }
}
