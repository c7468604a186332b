import type PQueue from "p-queue";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { HeldVault } from "../held/held-vault.ts";
import type { Ledger } from "../held/ledger.ts";
import type { Log } from "../observe/log.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Conditional, Vault } from "../vault/vault.ts";

/** What it takes to bring one identity into the vault. Workers have it too, who hold no vault and write no log. */
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

/** A client's export: its vault, held, and its source. */
export interface Exporting extends HeldVault {
  readonly source: Source;
  /** Of the source's requests. */
  readonly starts: Starts;
  readonly sealer: Sealer;
  readonly vaultQueue: PQueue;
  readonly log: Log;
  readonly again: boolean;
}

/** One run of it, as every identity's capture sees it. */
export interface Run extends Exporting {
  readonly id: string;
  readonly project: string;
  readonly ledger: Ledger;
}
