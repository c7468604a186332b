import type { HeldVault } from "../held/held-vault.ts";
import type { Ledger } from "../held/ledger.ts";

/** A change of how long things are kept, by whoever holds the vault. */
export interface Work extends HeldVault {
  /** The run's name in the log. */
  readonly run: string;
  readonly ledger: Ledger;
  readonly onSubject: (done: number, total?: number) => void;
  /** Something of a subject could not be done; it is tried again by the next run. */
  readonly onFailure: (subject: string, error: unknown) => void;
}
