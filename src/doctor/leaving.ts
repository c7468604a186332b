import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { askedSources } from "../config/sources.ts";
import { leavingOf, leavingText } from "../report/leaving.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("horizon");

const HINT =
  "Each run asks about them until they end or are stored: run `holdfast export`, and see why they fail. Ask the provider to make readable again what it has archived.";

/** Who may soon be unreadable at a provider that keeps people for some time only. Skipped without a catalog. */
export function checkLeaving(config: ClientConfig, now: Temporal.Instant): Finding[] {
  const sources = askedSources(config).filter(({ horizon }) => horizon !== undefined);
  if (sources.length === 0) return [];
  const catalog = peekCatalog(config);
  if (catalog === undefined) return [];
  try {
    return leavingOf(sources, catalog, now).map((of) => {
      const text = leavingText(of);
      if (text !== "") return warning(text.replace(/\.$/, ""), HINT);
      return ok(`${of.source}: no one who is known and not stored in final form becomes unreadable this week`);
    });
  } catch (error) {
    return [failed("horizon", error)];
  } finally {
    catalog.close();
  }
}
