import { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import { VAULT_JSON } from "./layout.ts";
import type { Vault } from "./vault.ts";

/** `vault.json`: what a stranger with the right key needs to read this vault. Nothing in it is secret. */
const description = z.object({
  format: z.literal("holdfast-vault/1"),
  client: z.string(),
  created: z.string(),
  /** `former` are the keys the log had before, newest first: they vouch for its earlier checkpoints. */
  log: z.object({ origin: z.string(), vkey: z.string(), former: z.array(z.string()).optional() }),
  recipients: z.array(z.string()).min(1),
  /** Tells a wrong lookup key from the right one, before everything is stored a second time under other names. */
  lookups: z.object({ check: z.string() }),
  /** What the store was found to do with conditional writes. Absent until `init` has come to its end. */
  store: z.object({ ifNoneMatch: z.boolean(), ifMatch: z.boolean() }).optional(),
});

export type VaultDescription = z.output<typeof description>;

/** Bytes of the largest description that is read. */
export const DESCRIPTION_LIMIT = 1024 * 1024;

export function encodeDescription(value: VaultDescription): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

/** Untrusted bytes to a description. Throws `malformed`. */
export function parseDescription(bytes: Uint8Array): VaultDescription {
  try {
    return description.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new HoldfastError("malformed", `${VAULT_JSON} is not a vault's description of format holdfast-vault/1`, {
      cause,
      hint: "Earlier versions of it are in the vault. If it is of a newer format, use the Holdfast that wrote it.",
    });
  }
}

/** Throws vault-missing where there is none yet, malformed where it is not a vault of this format. */
export async function readDescription(vault: Vault): Promise<{ description: VaultDescription; etag: string }> {
  const { bytes, info } = await vault.read(VAULT_JSON, DESCRIPTION_LIMIT);
  return { description: parseDescription(bytes), etag: info.etag };
}
