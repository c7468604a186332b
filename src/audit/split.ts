import type { Entry, RecordFiles, RecordStored } from "./entry.ts";
import { MAX_ENTRY } from "./tile.ts";

/**
 * One entry as the entries that the log can hold: those whose lists grow with the data are cut into as many as it
 * takes, in order. All other types are given back as they are.
 */
export function splitEntry(entry: Entry): Entry[] {
  switch (entry.type) {
    case "record.stored":
      return splitStored(entry);
    case "lock.extended":
    case "hold.placed":
      return cut(entry.objects, { ...entry, objects: [] }, (objects) => ({ ...entry, objects }));
    case "purge.begun":
    case "purge.withdrawn":
      return cut(entry.keys, { ...entry, keys: [] }, (keys) => ({ ...entry, keys }));
    case "record.purged":
      // Only with the last of them is nothing left of the subject.
      return cut(entry.objects, { ...entry, objects: [] }, (objects, isLast) => ({
        ...entry,
        objects,
        whole: entry.whole && isLast,
      }));
    default:
      return [entry];
  }
}

/** So many always fit, also where each has the longest version id that S3 gives: most records are not measured. */
const FEW_FILES = 30;

/** `record.stored` comes last, since the record counts from there. */
function splitStored(entry: RecordStored): Entry[] {
  const { time, run, subject, version, files } = entry;
  if (files.length <= FEW_FILES || sizeOf(entry) <= MAX_ENTRY) return [entry];
  const empty: RecordFiles = { type: "record.files", time, run, subject, version, files: [] };
  const before = cut(files, empty, (part) => ({ ...empty, files: part }));
  return [...before, { ...entry, files: [], moreFiles: files.length }];
}

/** At least one entry, also of an empty list. */
function cut<T>(list: readonly T[], empty: Entry, make: (part: T[], isLast: boolean) => Entry): Entry[] {
  const room = MAX_ENTRY - sizeOf(empty);
  const parts: T[][] = [[]];
  let used = 0;
  for (const item of list) {
    const size = sizeOf(item) + 1;
    if (used > 0 && used + size > room) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)!.push(item);
    used += size;
  }
  return parts.map((part, at) => make(part, at === parts.length - 1));
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
