import type { Entry, Unlogged } from "../audit/entry.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { timestamp } from "../core/timestamp.ts";
import type { Lock, Vault } from "../vault/vault.ts";

/** What it takes to change how long something is kept: a client's vault, held by this process. */
export interface Work {
  readonly vault: Vault;
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  readonly retention: RetentionConfig;
  /** That locks come to in the end. */
  readonly mode: Lock["mode"];
  /** Requests in flight at the vault. */
  readonly concurrency: number;
  readonly now: Clock;
  readonly signal: AbortSignal;
  /** Throws once this process no longer surely holds the vault. */
  readonly holds: () => void;
  /** The run's name in the log. */
  readonly run: string;
  readonly onSubject: (done: number, total?: number) => void;
  /** Something of a subject could not be done; it is tried again by the next run. */
  readonly onFailure: (subject: string, error: unknown) => void;
}

/** Logs an entry as this run's, of now; the log splits one that is too long. When this resolves its work counts as done. */
export async function logged(
  { writer, catalog, run, now }: Pick<Work, "writer" | "catalog" | "run" | "now">,
  entry: Unlogged<Entry>,
): Promise<void> {
  const { type, ...fields } = entry;
  catalog.apply(await writer.append({ type, ...fields, time: timestamp(now()), run } as Entry));
}
