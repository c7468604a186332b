import type PQueue from "p-queue";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Source } from "../source/source.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Conditional, Vault } from "../vault/vault.ts";
import type { Ledger } from "./ledger.ts";

/** What it takes to bring one identity into the vault. */
export interface Capturing {
  readonly config: ClientConfig;
  readonly source: Source;
  /** The provider's id of the project. */
  readonly project: string;
  readonly sealer: Sealer;
  readonly tokens: Tokens;
  readonly vault: Vault;
  /** Bounds what is under way at the vault. */
  readonly vaultQueue: PQueue;
  readonly conditional: Conditional;
  readonly now: Clock;
  readonly log: Log;
  /** Throws `busy` once this process no longer surely holds the vault, or the identity; asked before each PUT. */
  readonly holds: () => void | Promise<void>;
  /** What is asked for is stored again though the log has it: it was withheld in part, or went missing. */
  readonly again: boolean;
}

/** What a run works with: one client's parts, opened. */
export interface Parts extends Omit<Capturing, "project" | "vaultQueue"> {
  readonly description: VaultDescription;
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  /** Aborted when the run is to stop: nothing new is begun, what is under way is finished. */
  readonly signal: AbortSignal;
}

/** The parts during one run. */
export interface Run extends Parts, Capturing {
  readonly id: string;
  readonly ledger: Ledger;
}
