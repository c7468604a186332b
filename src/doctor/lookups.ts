import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("lookups");

/**
 * Whether people who came into the vault first can be found by what the config says now. The log does not say when
 * `lookups.fields` changed. Skipped without a catalog, and while no one can be found.
 */
export function checkLookups(config: ClientConfig): Finding[] {
  const { fields } = config.lookups;
  const catalog = peekCatalog(config);
  if (catalog === undefined) return [];
  try {
    const first = catalog.subjects.firstLookups();
    if (first.length === 0) return [];
    const added = fields.filter((field) => !first.includes(field));
    const removed = first.filter((field) => !fields.includes(field));
    if (added.length + removed.length === 0) return [ok("people can be found by each of lookups.fields")];
    return [
      ...added.map((field) =>
        warning(
          `none of the people who came into the vault first can be found by ${field}`,
          "If you added it to lookups.fields later: a record gets it when it is stored again, on its next change or with `holdfast export --identity <id> --again`. If these people have no such value, nothing is wrong.",
        ),
      ),
      ...removed.map((field) =>
        ok(
          `${field} is not in lookups.fields any more: only people who were stored before can be found by it. Put it back if others must be`,
        ),
      ),
    ];
  } catch (error) {
    return [failed("lookups", error)];
  } finally {
    catalog.close();
  }
}
