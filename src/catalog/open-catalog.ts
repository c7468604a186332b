import type { AuditLog, Head, LogEntry } from "../audit/log.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { Catalog } from "./catalog.ts";

/**
 * Brings the catalog to the end of the log: from where it is if it follows the log, otherwise from the beginning. Every
 * entry is checked against the root before it is applied. Throws `unverified` for an entry that does not belong.
 * @param head the log's size and root, under a verified checkpoint
 */
export async function openCatalog(
  path: string,
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  onEntries?: (done: number, total: number) => void,
): Promise<Catalog> {
  let catalog = Catalog.open(path, log.origin);
  try {
    if (!(await catalog.follows(log, head))) {
      catalog.close();
      catalog = Catalog.empty(path, log.origin);
    }
    await fillCatalog(catalog, log, head, onEntries);
    return catalog;
  } catch (error) {
    catalog.close();
    throw error;
  }
}

/** Applies the log's entries beyond the catalog's end, each checked against the root. */
export async function fillCatalog(
  catalog: Catalog,
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  onEntries?: (done: number, total: number) => void,
): Promise<void> {
  let batch: LogEntry[] = [];
  const apply = (): void => {
    catalog.apply(batch);
    batch = [];
    onEntries?.(catalog.size, head.size);
  };
  for await (const entry of new SignedLog(log, head).entries(catalog.size)) {
    batch.push(entry);
    if (batch.length === 1024) apply();
  }
  if (batch.length > 0) apply();
}
