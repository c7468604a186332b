import { AT_ONCE_JOB } from "../catalog/runs.ts";
import type { ClientConfig } from "../config/config.ts";
import type { WebhookSourceConfig } from "../config/source-config.ts";
import { isActive, placeOf } from "../config/sources.ts";
import { runExport } from "../export/run.ts";
import type { Summary } from "../export/summary.ts";
import type { Log } from "../observe/log.ts";
import type { Session } from "./client.ts";
import { openExporting } from "./open-exporting.ts";
import { openLog } from "./open-log.ts";
import { VERSION } from "./version.ts";
import { observerOf } from "./watch.ts";

/** What one run at once is about. */
export interface NamedRun {
  readonly client: ClientConfig;
  readonly source: WebhookSourceConfig;
  /** Only whom an event after this number names that no run has tried yet. */
  readonly untriedAfter: number;
}

/**
 * Exports whom webhooks named, and no one else: it is not the night's run, so it extends no locks, tells no one, is not
 * remembered, and leaves the log's time stamp to that one. It yields the vault to any other job that waits for it.
 */
export class NamedExport {
  /** Warnings, by client. */
  readonly #said = new Set<string>();

  /**
   * Undefined if another run took them meanwhile; then the provider is not asked, and nothing is logged.
   * @param onWanted another process waits for the vault
   */
  async run(
    { client, source, untriedAfter }: NamedRun,
    session: Session,
    onWanted: () => void,
  ): Promise<Summary | undefined> {
    if (!isActive(source)) return undefined;
    const quiet = this.#quietly(session, client);
    await using held = await openLog(client, quiet, { job: AT_ONCE_JOB, onWanted });
    await using exporting = await openExporting(held, source, quiet, { priority: "high", untriedAfter });
    if (exporting.inboxError !== undefined) throw exporting.inboxError;
    if (exporting.inbox === undefined || exporting.inbox.isEmpty) return undefined;
    const { log } = session.console;
    return await runExport(
      { ...exporting, log: client.sources.length === 1 ? log : log.with({ source: source.name }) },
      {
        job: AT_ONCE_JOB,
        version: VERSION,
        selection: { kind: "inbox" },
        progress: session.console.progress(`${placeOf(client, source.name)}: named by webhooks`),
        observer: observerOf(exporting, session),
      },
    );
  }

  /** What a run warns of while it opens, such as the permissions of a key's file, is said once, not each minute. */
  #quietly(session: Session, { id }: ClientConfig): Session {
    const { log } = session.console;
    const warn: Log["warn"] = (message, fields) => {
      const key = JSON.stringify([id, message]);
      if (this.#said.has(key)) log.debug(message, fields);
      else log.warn(message, fields);
      this.#said.add(key);
    };
    return { ...session, console: { ...session.console, log: { ...log, warn } } };
  }
}
