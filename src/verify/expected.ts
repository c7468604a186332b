import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import type { Superseded } from "../retention/superseded.ts";
import { FILES, NOTES, RECORDS } from "../vault/layout.ts";

/** What the log says of one key. */
export interface Expected {
  readonly key: string;
  /** Undefined where only earlier versions are known. */
  readonly present: CatalogObject | undefined;
  /** Earlier versions whose key was stored again. One may be the present one, logged before with another lock. */
  readonly former: readonly CatalogObject[];
}

/** The prefixes of everything that entries name, in the order in which it is compared with the vault. */
export const PREFIXES = [RECORDS, FILES, NOTES] as const;
export type Prefix = (typeof PREFIXES)[number];

/** All that the log expects under a prefix, in the order of the keys, each key once. */
export function* expectedUnder(prefix: Prefix, index: Catalog, superseded: Superseded): Generator<Expected> {
  const presents = presentUnder(prefix, index);
  const formers = superseded.under(prefix)[Symbol.iterator]();
  let former = formers.next();
  const formerOf = (key: string): CatalogObject[] => {
    const all: CatalogObject[] = [];
    for (; !former.done && former.value.key === key; former = formers.next()) all.push(former.value);
    return all;
  };
  try {
    for (const present of presents) {
      // A key of our own is ASCII, so this is the order of the store's listing.
      while (!former.done && former.value.key < present.key) {
        const { key } = former.value;
        yield { key, present: undefined, former: formerOf(key) };
      }
      yield { key: present.key, present, former: formerOf(present.key) };
    }
    while (!former.done) {
      const { key } = former.value;
      yield { key, present: undefined, former: formerOf(key) };
    }
  } finally {
    formers.return?.();
  }
}

function presentUnder(prefix: Prefix, { objects, notes }: Catalog): Iterable<CatalogObject> {
  if (prefix === RECORDS) return objects.records();
  return prefix === FILES ? objects.files() : notes.all();
}
