import { isPurge, listedKeys, nameOf, ownKeys, type Said } from "./said.ts";

/** `record.files` entries by the record that they belong to. */
type Announced = ReadonlyMap<string, readonly Said[]>;

/**
 * What the log says since another machine went on with it. Nothing that it purged, or began to purge, may be logged
 * behind that as if it were there: neither what this machine stored of it, nor what the other one did. A record and its
 * files are one statement, also where they are several entries.
 */
export class Since {
  readonly said: Said[] = [];
  /** By key: the place of the last entry by which it is gone, or may be. */
  readonly #purged = new Map<string, number>();
  readonly #begun = new Map<string, number>();

  /** In the log's order. */
  add(said: Said): void {
    const { index, entry } = said;
    if (!isPurge(entry)) this.said.push(said);
    else if (entry.type === "purge.begun") for (const key of entry.keys) this.#begun.set(key, index);
    else if (entry.type === "purge.withdrawn") for (const key of entry.keys) this.#begun.delete(key);
    else for (const { key } of entry.objects) this.#purged.set(key, index);
  }

  /** Those of this machine's own entries that can be logged again. */
  without(mine: readonly Said[], files: Announced): Said[] {
    // What the other machine stored last must stay the last: where that cannot be repeated, ours is not logged either.
    const out = new Set([...this.#purged.keys(), ...this.#begun.keys()]);
    for (const said of this.said) {
      if (said.entry?.type === "record.stored" && this.#isGone(said, files))
        for (const key of ownKeys(said)) out.add(key);
    }
    // Of what was stored by an entry that is left out nothing can be said.
    const unsaid = new Set<string>();
    const dropped = new Set<Said>();
    for (const said of mine) {
      const parts = [said, ...partsOf(said, files)];
      const isOut = parts.flatMap(ownKeys).some((key) => out.has(key) || unsaid.has(key));
      if (!isOut && !parts.flatMap(listedKeys).some((key) => unsaid.has(key))) continue;
      for (const part of parts) dropped.add(part);
      if (said.entry?.type !== "lock.extended") for (const key of parts.flatMap(ownKeys)) unsaid.add(key);
    }
    const leaves = new Set([...dropped].map(({ leaf }) => leaf));
    return mine.filter(({ leaf }) => !leaves.has(leaf));
  }

  /** What the log said since and can say again: each record behind all of its files. */
  repeatable(files: Announced): Said[] {
    return this.said.flatMap((said) => {
      // Without its record it means nothing yet; with it, it comes along.
      if (said.entry?.type === "record.files" || this.#isGone(said, files)) return [];
      return [...partsOf(said, files), said];
    });
  }

  /** Something of it was purged after it, or may have been. */
  #isGone(said: Said, files: Announced): boolean {
    const isAfter = (at: number | undefined): boolean => at !== undefined && at > said.index;
    return [said, ...partsOf(said, files)]
      .flatMap(ownKeys)
      .some((key) => isAfter(this.#purged.get(key)) || isAfter(this.#begun.get(key)));
  }
}

function partsOf({ entry }: Said, files: Announced): readonly Said[] {
  return entry?.type === "record.stored" && entry.moreFiles ? (files.get(nameOf(entry)) ?? []) : [];
}
