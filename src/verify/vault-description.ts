import { fingerprint } from "../config/recipients.ts";
import { hasCode } from "../core/error.ts";
import { DESCRIPTION_LIMIT, parseDescription, type VaultDescription } from "../vault/description.ts";
import { CHECKPOINT, VAULT_JSON } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import { readLogObject } from "./log-object.ts";
import type { Problem } from "./problem.ts";

/**
 * Compares vault.json with its own earlier versions: its client never changes, and its log key only by a handover.
 * Returns the current and the first recipients, by fingerprint.
 */
export async function checkDescription(vault: Vault, problem: (found: Problem) => void): Promise<SealedTo> {
  const key = VAULT_JSON;
  const piece = await readLogObject(vault, key, DESCRIPTION_LIMIT, problem);
  const present = piece && parse(piece.bytes);
  if (piece && !present) problem({ key, what: "is invalid" });
  if (!present) return { present: "", first: "" };
  const keys = [present.log.vkey, ...(present.log.former ?? [])];
  let first = present;
  for await (const { key: found, versionId, deleteMarker } of vault.versions(VAULT_JSON)) {
    if (found !== VAULT_JSON || deleteMarker || versionId === piece.info.versionId) continue;
    const earlier = await readVersion(vault, versionId);
    if (earlier === undefined) {
      problem({ key, what: `version ${versionId} is invalid` });
      continue;
    }
    first = earlier;
    if (identityOf(earlier) !== identityOf(present)) {
      problem({ key, what: `client, log, date or lookup key differ from version ${versionId}` });
    }
    if (!keys.includes(earlier.log.vkey)) {
      problem({ key, what: `the log key of version ${versionId} is neither the current one nor a former one` });
    }
  }
  return { present: recipientsOf(present), first: recipientsOf(first) };
}

/** Fingerprints, sorted and joined. */
export interface SealedTo {
  readonly present: string;
  readonly first: string;
}

export function sortedText(fingerprints: readonly string[]): string {
  return fingerprints.toSorted().join();
}

/**
 * Whether this client has, or had, a vault here although vault.json does not say so: then the file was changed or
 * deleted, and the config is not wrong.
 */
export async function wasDescribed(vault: Vault, client: string, origin: string): Promise<boolean> {
  let described = false;
  for await (const { key, versionId, deleteMarker } of vault.versions(VAULT_JSON)) {
    if (key !== VAULT_JSON || deleteMarker) continue;
    described = true;
    const earlier = await readVersion(vault, versionId);
    if (earlier?.client === client && earlier.log.origin === origin) return true;
  }
  if (described) return false;
  for await (const { key } of vault.versions(CHECKPOINT)) if (key === CHECKPOINT) return true;
  return false;
}

async function readVersion(vault: Vault, versionId: string): Promise<VaultDescription | undefined> {
  try {
    return parse((await vault.read(VAULT_JSON, DESCRIPTION_LIMIT, versionId)).bytes);
  } catch (error) {
    if (hasCode(error, "vault-missing", "malformed")) return undefined;
    throw error;
  }
}

function parse(bytes: Uint8Array): VaultDescription | undefined {
  try {
    return parseDescription(bytes);
  } catch (error) {
    if (hasCode(error, "malformed")) return undefined;
    throw error;
  }
}

function identityOf({ client, created, log, lookups }: VaultDescription): string {
  return JSON.stringify([client, created, log.origin, lookups.check]);
}

function recipientsOf({ recipients }: VaultDescription): string {
  return sortedText(recipients.map(fingerprint));
}
