import type { StoredFile } from "../audit/entry.ts";
import type { Catalog, Known } from "../catalog/catalog.ts";

/** What the vault holds of one subject already: all that its next capture must know. */
export interface Kept {
  readonly known: Known | undefined;
  hasVersion(version: string): boolean;
  /** Whether the newest version kept has files or lookups: it was somebody. */
  hadContent(): boolean;
  /** A file the vault holds, as the log describes it; `storedWith` names the version it came with. */
  file(key: string): (StoredFile & { storedWith: string }) | undefined;
}

export function keptIn(catalog: Catalog, subject: string): Kept {
  return {
    known: catalog.known(subject),
    hasVersion: (version) => catalog.hasVersion(subject, version),
    hadContent: () => catalog.hadContent(subject),
    file: (key) => catalog.file(key),
  };
}
