import type { StoredFile } from "../audit/entry.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Known } from "../catalog/subjects.ts";
import { recordKey } from "../vault/layout.ts";

/** What the vault holds of one subject already: all that its next capture must know. */
export interface Kept {
  readonly known: Known | undefined;
  /** The last day of the relationship; undefined while it lasts. */
  readonly ended: string | undefined;
  hasVersion(version: string): boolean;
  /** Whether a version was kept until the law asked for it no more, of someone who has not come back since. */
  wasPurged(version: string): boolean;
  /** Whether the newest version kept has files or lookups: it was someone. */
  hadContent(): boolean;
  /**
   * A file the vault holds, as the log describes it; `storedWith` names the version it came with. Not one whose purge
   * was stopped: it may be gone, and is fetched again.
   */
  file(key: string): KeptFile | undefined;
  /**
   * Whether a file of someone of whom more is kept was purged: it is past its time, and not to be fetched again. Not one
   * that a stopped purge took before it was withdrawn.
   */
  wasFilePurged(key: string): boolean;
}

export type KeptFile = StoredFile & { readonly storedWith: string };

export function keptIn(catalog: Catalog, subject: string): Kept {
  return {
    known: catalog.subjects.known(subject),
    ended: catalog.relationships.ended(subject),
    wasPurged: (version) =>
      catalog.relationships.hasDeparted(subject) && catalog.purges.stateOf(recordKey(subject, version)) !== undefined,
    hasVersion: (version) => catalog.kept.hasVersion(subject, version),
    hadContent: () => catalog.subjects.hadContent(subject),
    file: (key) => {
      const found = catalog.kept.file(key);
      if (found === undefined || catalog.purges.stateOf(key) === "begun") return undefined;
      // How it is locked is its own affair, and no part of what a new version says of it.
      const { lockMode: _, ...file } = found;
      return file;
    },
    // Who comes back after all of them was purged is a customer again, and is kept whole.
    wasFilePurged: (key) => catalog.subjects.known(subject) !== undefined && catalog.purges.isPast(key),
  };
}
