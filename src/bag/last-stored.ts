import { storedName } from "../audit/said.ts";
import type { Numbered } from "./whole-record.ts";

/**
 * The last entry that stored each object, by its key. An entry that only lists a file (`storedWith`) did not store it:
 * it may be logged again behind the purge of that file. Files in `record.files` entries count with their record.
 * @param entries of one subject, in any order
 */
export function lastStored(entries: Iterable<Numbered>): Map<string, number> {
  const stored = new Map<string, number>();
  const announced = new Map<string, string[]>();
  for (const { index, entry } of [...entries].sort((one, other) => one.index - other.index)) {
    if (entry.type !== "record.stored" && entry.type !== "record.files") continue;
    const name = storedName(entry);
    const files = entry.files.filter(({ storedWith }) => storedWith === undefined).map(({ key }) => key);
    const own = [...(announced.get(name) ?? []), ...files];
    if (entry.type === "record.files") announced.set(name, own);
    else {
      for (const key of [entry.object.key, ...own]) stored.set(key, index);
      announced.delete(name);
    }
  }
  return stored;
}
