import type { LogEntry } from "../audit/log.ts";
import type { SignedLog } from "../audit/signed-log.ts";
import type { Catalog } from "./catalog.ts";

/** Applies the log's entries beyond the catalog's end, each checked against the root. */
export async function fillCatalog(
  catalog: Catalog,
  log: SignedLog,
  onEntries?: (done: number, total: number) => void,
): Promise<void> {
  let batch: LogEntry[] = [];
  const apply = (): void => {
    catalog.apply(batch);
    batch = [];
    onEntries?.(catalog.size, log.head.size);
  };
  for await (const entry of log.entries(catalog.size)) {
    batch.push(entry);
    if (batch.length === 1024) apply();
  }
  if (batch.length > 0) apply();
}
