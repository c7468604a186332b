import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { VAULT_JSON } from "./layout.ts";
import type { Vault } from "./vault.ts";

/** `vault.json`: everything that someone with the right key needs to read this vault. It holds no secret. */
const description = z.object({
  format: z.literal("holdfast-vault/1"),
  client: z.string(),
  created: z.string(),
  /** `former` are the keys the log had before, newest first: they vouch for its earlier checkpoints. */
  log: z.object({ origin: z.string(), vkey: z.string(), former: z.array(z.string()).optional() }),
  recipients: z.array(z.string()).min(1),
  /** Detects a wrong lookup key before a run stores everything a second time under other names. */
  lookups: z.object({ check: z.string() }),
  /** Which conditional writes the store supports. Missing until `init` has finished. */
  store: z.object({ ifNoneMatch: z.boolean(), ifMatch: z.boolean() }).optional(),
});

export type VaultDescription = z.output<typeof description>;

/** The largest description that is read, in bytes. */
export const DESCRIPTION_LIMIT = 1024 * 1024;

export function encodeDescription(value: VaultDescription): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

/** Parses an untrusted description. Throws `malformed`. */
export function parseDescription(bytes: Uint8Array): VaultDescription {
  try {
    return description.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new HoldfastError("malformed", `${VAULT_JSON} is not a valid holdfast-vault/1 description`, {
      cause,
      hint: "Restore an earlier version of it from the vault. If its format is newer, use the Holdfast that wrote it.",
    });
  }
}

/** Throws `vault-missing` if there is no vault yet, `malformed` if its format is not this one. */
export async function readDescription(vault: Vault): Promise<{ description: VaultDescription; etag: string }> {
  const { bytes, info } = await vault.read(VAULT_JSON, DESCRIPTION_LIMIT);
  return { description: parseDescription(bytes), etag: info.etag };
}
