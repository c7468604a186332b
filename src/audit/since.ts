import { isPurge, listedKeys, ownKeys, type Said, storedName } from "./said.ts";

/** `record.files` entries by their record. */
type Announced = ReadonlyMap<string, readonly Said[]>;

/**
 * What the log says since another machine continued it. An object that it purged or began to purge must not be logged
 * again as if it existed, no matter which machine stored it. A record and its files are one statement, even in several
 * entries.
 */
export class Since {
  readonly said: Said[] = [];
  /** By key: the index of the last entry after which the object is gone, or may be. */
  readonly #purged = new Map<string, number>();
  readonly #begun = new Map<string, number>();

  /** Call this in the log's order. */
  add(said: Said): void {
    const { index, entry } = said;
    if (!isPurge(entry)) this.said.push(said);
    else if (entry.type === "purge.begun") for (const key of entry.keys) this.#begun.set(key, index);
    else if (entry.type === "purge.withdrawn") for (const key of entry.keys) this.#begun.delete(key);
    else for (const { key } of entry.objects) this.#purged.set(key, index);
  }

  /** The entries of this machine that can be logged again. */
  without(mine: readonly Said[], files: Announced): Said[] {
    // What the other machine stored last must stay last. If that cannot be repeated, do not log ours either.
    const out = new Set([...this.#purged.keys(), ...this.#begun.keys()]);
    for (const said of this.said) {
      if (said.entry?.type === "record.stored" && this.#isGone(said, files))
        for (const key of ownKeys(said)) out.add(key);
    }
    // If the entry that stored an object is omitted, omit every entry about that object.
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

  /** Entries of the log that can be repeated, each record after all of its files. */
  repeatable(files: Announced): Said[] {
    return this.said.flatMap((said) => {
      // `record.files` means nothing without its record, and is added with it below.
      if (said.entry?.type === "record.files" || this.#isGone(said, files)) return [];
      return [...partsOf(said, files), said];
    });
  }

  /** Whether any of its objects was purged later, or may have been. */
  #isGone(said: Said, files: Announced): boolean {
    const isAfter = (at: number | undefined): boolean => at !== undefined && at > said.index;
    return [said, ...partsOf(said, files)]
      .flatMap(ownKeys)
      .some((key) => isAfter(this.#purged.get(key)) || isAfter(this.#begun.get(key)));
  }
}

function partsOf({ entry }: Said, files: Announced): readonly Said[] {
  return entry?.type === "record.stored" && entry.moreFiles ? (files.get(storedName(entry)) ?? []) : [];
}
