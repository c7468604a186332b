import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import { Handles } from "../record/handles.ts";

/** How many people, and how many that cannot be read before the search ends. */
const MOST = 5;

/**
 * Ids of a few people whom the vault has from a source, for what only an answer about someone shows. None where there is
 * no catalog or no lookup key: other checks say so.
 */
export async function knownIds(config: ClientConfig, { name, kind }: SourceConfig): Promise<readonly string[]> {
  const catalog = peekCatalog(config);
  if (catalog === undefined) return [];
  try {
    const handles = new Handles(await config.lookups.key.resolve());
    const ids: string[] = [];
    // Subjects are hexadecimal.
    for (const { subject, handle } of catalog.roster.between(name, "", "g")) {
      ids.push(handles.open(subject, kind, handle));
      if (ids.length === MOST) break;
    }
    return ids;
  } catch {
    return [];
  } finally {
    catalog.close();
  }
}
