import type { StoredFile } from "../audit/entry.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Known } from "../catalog/subjects.ts";
import { recordKey } from "../vault/layout.ts";

/** What the vault already holds of one subject: everything that its next capture must know. */
export interface Kept {
  readonly known: Known | undefined;
  /** The last day of the relationship. Undefined while it lasts. */
  readonly ended: string | undefined;
  hasVersion(version: string): boolean;
  /**
   * Whether a version was purged after its retention period, and the person has not come back since: this one, or one
   * that is the same but for what the config leaves out.
   */
  wasPurged(version: string): boolean;
  /** Whether the newest kept version has files or lookups, so that it is not an empty identity. */
  hadContent(): boolean;
  /**
   * A file in the vault, as the log describes it; `storedWith` names the version it came with. Leaves out files of a
   * stopped purge: they may be gone, and are fetched again.
   */
  file(key: string): KeptFile | undefined;
  /**
   * Whether a file was purged while other records of the person are kept: it is past its retention date and must not be
   * fetched again. Does not count files that a purge deleted before it was withdrawn.
   */
  wasFilePurged(key: string): boolean;
}

export type KeptFile = StoredFile & { readonly storedWith: string };

/** Of someone whom the log does not mention. */
const NOTHING: Kept = {
  known: undefined,
  ended: undefined,
  wasPurged: () => false,
  hasVersion: () => false,
  hadContent: () => false,
  file: () => undefined,
  wasFilePurged: () => false,
};

export function keptIn(catalog: Catalog, subject: string): Kept {
  // In a first run this answers all questions about everyone.
  if (!catalog.mentions(subject)) return NOTHING;
  return {
    known: catalog.subjects.known(subject),
    ended: catalog.relationships.ended(subject),
    wasPurged: (version) =>
      catalog.relationships.hasDeparted(subject) &&
      (catalog.purges.stateOf(recordKey(subject, version)) !== undefined ||
        catalog.relationships.departedBase(subject) === version),
    hasVersion: (version) => catalog.kept.hasVersion(subject, version),
    hadContent: () => catalog.subjects.hadContent(subject),
    file: (key) => {
      const found = catalog.kept.file(key);
      if (found === undefined || catalog.purges.stateOf(key) === "begun") return undefined;
      // A new version does not describe the file's lock.
      const { lockMode: _, ...file } = found;
      return file;
    },
    // A person who returns after everything was purged is a customer again, and all files are kept.
    wasFilePurged: (key) => catalog.subjects.known(subject) !== undefined && catalog.purges.isPast(key),
  };
}
