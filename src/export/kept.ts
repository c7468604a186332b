import type { StoredFile } from "../audit/entry.ts";
import type { Catalog, Known } from "../catalog/catalog.ts";
import { recordKey } from "../vault/layout.ts";

/** What the vault holds of one subject already: all that its next capture must know. */
export interface Kept {
  readonly known: Known | undefined;
  hasVersion(version: string): boolean;
  /** Whether a version was kept until the law asked for it no more, of somebody who has not come back since. */
  wasPurged(version: string): boolean;
  /** Whether the newest version kept has files or lookups: it was somebody. */
  hadContent(): boolean;
  /**
   * A file the vault holds, as the log describes it; `storedWith` names the version it came with. Not one whose purge
   * was stopped: it may be gone, and is fetched again.
   */
  file(key: string): (StoredFile & { storedWith: string }) | undefined;
}

export function keptIn(catalog: Catalog, subject: string): Kept {
  return {
    known: catalog.known(subject),
    wasPurged: (version) =>
      catalog.life.hasDeparted(subject) && catalog.life.purge(recordKey(subject, version)) !== undefined,
    hasVersion: (version) => catalog.hasVersion(subject, version),
    hadContent: () => catalog.hadContent(subject),
    file: (key) => {
      const found = catalog.file(key);
      if (found === undefined || catalog.life.purge(key) === "begun") return undefined;
      // How it is locked is its own affair, and no part of what a new version says of it.
      const { lockMode: _, ...file } = found;
      return file;
    },
  };
}
