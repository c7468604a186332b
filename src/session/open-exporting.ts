import PQueue from "p-queue";
import type { ActiveSourceConfig, ClientConfig } from "../config/config.ts";
import type { Again, Exporting } from "../export/context.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { Inbox } from "../inbox/inbox.ts";
import { RunInbox } from "../inbox/run-inbox.ts";
import { closedBy } from "../io/closing.ts";
import { errorFields, type Log } from "../observe/log.ts";
import { Sealer } from "../seal/seal.ts";
import type { Priority } from "../source/rate/claim.ts";
import { handlesOf, type Session } from "./client.ts";
import { warnOf } from "./open-log.ts";
import { openSource } from "./open-source.ts";

export interface ExportingOptions {
  readonly priority: Priority;
  readonly again?: Again;
  /** See `RunInbox`. */
  readonly untriedAfter?: number;
}

/** Opens what an export of one source needs besides the vault. */
export async function openExporting(
  held: HeldVault,
  sourceConfig: ActiveSourceConfig,
  session: Session,
  { priority, again = false, untriedAfter }: ExportingOptions,
): Promise<Exporting & AsyncDisposable> {
  const { config } = held;
  const { log } = session.console;
  await using opened = new AsyncDisposableStack();
  const { source, starts, retries } = opened.use(await openSource(config, sourceConfig, session, priority));
  if (sourceConfig.apiKey !== undefined) warnOf(session, config, [sourceConfig.apiKey]);
  const inbox = openRunInbox(config, sourceConfig, log, untriedAfter);
  if (inbox) opened.use(inbox);
  const exporting: Exporting = {
    ...held,
    source,
    sourceConfig,
    inbox,
    handles: await handlesOf(config),
    starts,
    sealer: new Sealer(config.recipients),
    vaultQueue: new PQueue({ concurrency: config.vault.concurrency }),
    log: config.sources.length === 1 ? log : log.with({ source: sourceConfig.name }),
    again,
    retries: () => retries() + held.retries(),
  };
  return closedBy(exporting, opened.move());
}

/** What webhooks named. A run that cannot read it still finds everyone whom the source itself names. */
function openRunInbox(
  { id, state }: ClientConfig,
  { name, webhook }: ActiveSourceConfig,
  log: Log,
  untriedAfter: number | undefined,
) {
  if (webhook === undefined) return undefined;
  const of = { client: id, source: name };
  let isTold = false;
  const onTrouble = (error: unknown): void => {
    if (!isTold)
      log.warn("cannot note what is settled in the inbox: the next run asks again", { ...of, ...errorFields(error) });
    isTold = true;
  };
  let invalid = 0;
  const inbox = new Inbox(state);
  try {
    const onInvalid = (): void => {
      invalid += 1;
    };
    const opened = new RunInbox(inbox, name, onTrouble, onInvalid, untriedAfter);
    if (invalid > 0) log.warn("the inbox has events that Holdfast did not write: skipped", { ...of, count: invalid });
    return opened;
  } catch (error) {
    inbox.close();
    log.error("cannot read the inbox: this run asks about no one whom a webhook named", {
      ...of,
      ...errorFields(error),
    });
    return undefined;
  }
}
