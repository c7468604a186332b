import type { Signer } from "../audit/note.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Tokens } from "../record/tokens.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Conditional, Vault } from "../vault/vault.ts";

/** A client's vault while this process alone may write to it, with its log and catalog. */
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
  /** Aborted when the work is to stop: nothing new is begun, what is under way is finished. */
  readonly signal: AbortSignal;
  /** Throws `busy` once this process no longer surely holds the vault. */
  readonly holds: () => void;
  /** Attempts that had to be made again so far. */
  readonly retries: () => number;
  /**
   * Has the log's head stamped by the client's time-stamping authority. Whoever opened the vault asks for it once all is
   * done, and not after a failure. Never throws.
   */
  readonly stamp: () => Promise<Uint8Array | undefined>;
}
