import type { HeldVault } from "../held/held-vault.ts";
import type { Ledger } from "../held/ledger.ts";

/** A job that changes how long things are kept, in a vault it holds the lease of. */
export interface Work extends HeldVault {
  /** The run's id in the log. */
  readonly run: string;
  readonly ledger: Ledger;
  readonly onSubject: (done: number, total?: number) => void;
  /** Called when something of a subject failed; the next run tries it again. */
  readonly onFailure: (subject: string, error: unknown) => void;
}
