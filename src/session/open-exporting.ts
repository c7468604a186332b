import PQueue from "p-queue";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import type { Again, Exporting } from "../export/context.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { closedBy } from "../io/closing.ts";
import { Sealer } from "../seal/seal.ts";
import type { Priority } from "../source/rate/claim.ts";
import { handlesOf, type Session } from "./client.ts";
import { warnOf } from "./open-log.ts";
import { openRunInbox } from "./open-run-inbox.ts";
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
  const handles = await handlesOf(config);
  const named = sourceConfig.webhook && openRunInbox(config, sourceConfig, handles, session.now(), log, untriedAfter);
  if (named?.inbox) opened.use(named.inbox);
  const exporting: Exporting = {
    ...held,
    source,
    sourceConfig,
    ...named,
    handles,
    starts,
    sealer: new Sealer(config.recipients),
    vaultQueue: new PQueue({ concurrency: config.vault.concurrency }),
    log: config.sources.length === 1 ? log : log.with({ source: sourceConfig.name }),
    again,
    retries: () => retries() + held.retries(),
  };
  return closedBy(exporting, opened.move());
}
