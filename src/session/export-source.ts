import type { ActiveSourceConfig } from "../config/source-config.ts";
import { placeOf } from "../config/sources.ts";
import { lookUpNamed } from "../export/named.ts";
import { runExport } from "../export/run.ts";
import type { HeldVault } from "../held/held-vault.ts";
import type { Session } from "./client.ts";
import { type ExportOptions, selectionOf } from "./export-options.ts";
import { type ExportSummary, noSuchIdentity } from "./export-summary.ts";
import { openExporting } from "./open-exporting.ts";
import { VERSION } from "./version.ts";
import { observerOf } from "./watch.ts";

/** Exports one source of a client whose vault is held. */
export async function exportSource(
  held: HeldVault,
  sourceConfig: ActiveSourceConfig,
  session: Session,
  options: ExportOptions,
  run?: string,
): Promise<ExportSummary> {
  const { console } = session;
  const { id } = held.config;
  const always = options.again || options.subjects !== undefined;
  const again = always ? "always" : options.withheld ? "granted" : false;
  await using exporting = await openExporting(held, sourceConfig, session, { priority: "high", again });
  const { identities } = options;
  const named = identities && (await lookUpNamed(exporting, identities));
  if (named?.known.length === 0) throw noSuchIdentity(named.unknown, 0);
  if (named && named.gone > 0) {
    console.log.warn("the provider no longer has this identity; the copy in the vault stays", {
      client: id,
      count: named.gone,
    });
  }
  const summary = await runExport(exporting, {
    job: "export",
    run,
    version: VERSION,
    identities: named?.known,
    selection: selectionOf(options),
    progress: console.progress(`${placeOf(held.config, sourceConfig.name)}: identities`),
    observer: observerOf(exporting, session),
  });
  const told = { ...summary, source: sourceConfig.name };
  return named === undefined || named.unknown.length === 0 ? told : { ...told, unknown: named.unknown };
}
