import { askedOf } from "../src/config/named-identity.ts";
import { askedSources } from "../src/config/sources.ts";
import type { Session } from "../src/session/client.ts";
import { type DryRun, dryRun } from "../src/session/dry-run.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { eachSource, noneAsked } from "../src/session/each-source.ts";
import { type ExportOptions, refuseUnclear, selectionOf } from "../src/session/export-options.ts";
import { noSuchIdentity, refuseUnread } from "../src/session/export-summary.ts";

/** Shows what an export of each client would do now. Writes nothing, and can run during an export. */
export async function planExport(
  session: Session,
  options: ExportOptions,
  onFailure: (failure: ClientFailure) => void,
): Promise<DryRun[]> {
  refuseUnclear(session, options);
  const { identities, again = false } = options;
  const plans = await eachClient(
    session,
    async (config) => {
      const { only, idsOf } = askedOf(config, identities);
      if (askedSources(config).length === 0) session.console.say(`${config.id}: nothing to ask, ${noneAsked(config)}`);
      const { results, failures } = await eachSource({ ...config, only }, session, (source) =>
        dryRun(config, source, session, { identities: idsOf(source.name), again, selection: selectionOf(options) }),
      );
      for (const failure of failures) onFailure(failure);
      return results;
    },
    onFailure,
  );
  return plans.flat();
}

/** As the export itself does. */
export function refuseUnfinishedPlan(plans: readonly DryRun[]): void {
  for (const { mistyped, examined } of plans) {
    if (mistyped) throw noSuchIdentity(mistyped, examined - mistyped.length, "would be exported");
  }
  refuseUnread(plans, "are not counted; all others are");
}
