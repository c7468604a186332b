import type { Entry, RecordFiles, RecordStored } from "./entry.ts";
import { MAX_ENTRY } from "./tile.ts";

/** Splits an entry into parts that fit in the log, in order. Only types whose lists grow with the data are split. */
export function splitEntry(entry: Entry): Entry[] {
  switch (entry.type) {
    case "record.stored":
      return splitStored(entry);
    case "lock.extended":
    case "hold.placed":
      return cut(entry.objects, { ...entry, objects: [] }, (objects) => ({ ...entry, objects }));
    case "note.extended":
      return cut(entry.notes, { ...entry, notes: [] }, (notes) => ({ ...entry, notes }));
    case "note.purged":
      return cut(entry.notes, { ...entry, notes: [] }, (notes) => ({ ...entry, notes }));
    case "purge.begun":
    case "purge.withdrawn":
      return cut(entry.keys, { ...entry, keys: [] }, (keys) => ({ ...entry, keys }));
    case "record.purged":
      // Only after the last part is nothing left of the subject.
      return cut(entry.objects, { ...entry, objects: [] }, (objects, isLast) => ({
        ...entry,
        objects,
        whole: entry.whole && isLast,
      }));
    default:
      return [entry];
  }
}

/** This many files always fit, even with the longest version ids of S3. Most records need no measuring. */
const FEW_FILES = 30;

/** `record.stored` comes last, because it makes the record count. */
function splitStored(entry: RecordStored): Entry[] {
  const { time, run, subject, version, files } = entry;
  if (files.length <= FEW_FILES || sizeOf(entry) <= MAX_ENTRY) return [entry];
  const empty: RecordFiles = { type: "record.files", time, run, subject, version, files: [] };
  const before = cut(files, empty, (part) => ({ ...empty, files: part }));
  return [...before, { ...entry, files: [], moreFiles: files.length }];
}

/** Gives at least one entry, even for an empty list. */
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
