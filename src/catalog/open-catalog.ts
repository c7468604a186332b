import { join } from "node:path";
import type { SignedLog } from "../audit/signed-log.ts";
import { Catalog } from "./catalog.ts";
import { fillCatalog } from "./fill-catalog.ts";
import { rebuildCatalog } from "./rebuild-catalog.ts";

/**
 * Brings the catalog to the end of the log: from where it is if it follows the log, otherwise from the beginning. Every
 * entry is checked against the root before it is applied. Throws `unverified` for an entry that does not belong.
 */
export async function openCatalog(
  path: string,
  log: SignedLog,
  onEntries?: (done: number, total: number) => void,
): Promise<Catalog> {
  const catalog = Catalog.open(path, log.origin);
  try {
    if (catalog.size > 0 ? await catalog.follows(log) : log.head.size === 0) {
      await fillCatalog(catalog, log, onEntries);
      return catalog;
    }
  } catch (error) {
    catalog.close();
    throw error;
  }
  catalog.close();
  return rebuildCatalog(path, log, onEntries);
}

/** @param state the client's own folder */
export function catalogFile(state: string): string {
  return join(state, "catalog.sqlite");
}

/** A client's catalog on this machine, for reading, while another process may write it. Undefined if it is missing or unusable. */
export function peekCatalog(of: {
  readonly state: string;
  readonly log: { readonly origin: string };
}): Catalog | undefined {
  return Catalog.peek(catalogFile(of.state), of.log.origin);
}
