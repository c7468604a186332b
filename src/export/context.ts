import type PQueue from "p-queue";
import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import type { HeldVault } from "../held/held-vault.ts";
import type { Ledger } from "../held/ledger.ts";
import type { RunInbox } from "../inbox/run-inbox.ts";
import type { Log } from "../observe/log.ts";
import type { Handles } from "../record/handles.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Sealer } from "../seal/seal.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Conditional, Vault } from "../vault/vault.ts";
import type { Gaps } from "./gaps.ts";

/** Whether to store a version again that the log has: always, or only if a file arrived that the vault lacked. */
export type Again = false | "always" | "granted";

/** Everything needed to bring one identity into the vault. Workers use it too, without a lease and without a log key. */
export interface Capturing {
  readonly config: ClientConfig;
  readonly source: Source;
  /** The config of this source. */
  readonly sourceConfig: SourceConfig;
  /** The provider's id of the project. */
  readonly project: string;
  readonly sealer: Sealer;
  readonly tokens: Tokens;
  readonly vault: Vault;
  /** Limits concurrent requests to the vault. */
  readonly vaultQueue: PQueue;
  readonly conditional: Conditional;
  readonly now: Clock;
  readonly log: Log;
  /** Called before each PUT. Throws `busy` once this process may have lost its claim on the vault or the identity. */
  readonly holds: () => void | Promise<void>;
  readonly again: Again;
}

/** A client's export: its source, and its vault with the lease held. */
export interface Exporting extends HeldVault {
  readonly source: Source;
  /** The config of the source of this run. */
  readonly sourceConfig: SourceConfig;
  readonly handles: Handles;
  /** What the source's webhooks named. Undefined if they are not received. */
  readonly inbox?: RunInbox | undefined;
  /** Why it cannot be read: then whom webhooks named is not known. */
  readonly inboxError?: unknown;
  /** The rate limits for requests to the source. */
  readonly starts: Starts;
  readonly sealer: Sealer;
  readonly vaultQueue: PQueue;
  readonly log: Log;
  readonly again: Again;
}

/** One run of an export, as `capture` sees it. */
export interface Run extends Exporting {
  readonly id: string;
  readonly started: Temporal.Instant;
  readonly project: string;
  readonly ledger: Ledger;
  /** What the key may not read. */
  readonly gaps: Gaps;
}
