import type { Signer } from "../audit/note.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Tokens } from "../record/tokens.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Conditional, Vault } from "../vault/vault.ts";

/** A client's vault that only this process may write to, with its log and catalog. */
export interface HeldVault {
  readonly config: ClientConfig;
  readonly vault: Vault;
  readonly description: VaultDescription;
  readonly conditional: Conditional;
  readonly signer: Signer;
  readonly tokens: Tokens;
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  readonly now: Clock;
  /** Aborted to stop the work: it finishes what it is doing and starts nothing new. */
  readonly signal: AbortSignal;
  /** Throws `busy` as soon as it is not certain that this process still holds the vault. */
  readonly holds: () => void;
  /** Retries so far. */
  readonly retries: () => number;
  /**
   * Gets a time stamp for the log's head from the client's authority. Called when everything is done, and not after a
   * failure. Never throws.
   */
  readonly stamp: () => Promise<Uint8Array | undefined>;
}
