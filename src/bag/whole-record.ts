import type { Entry, RecordStored } from "../audit/entry.ts";
import { HoldfastError } from "../core/error.ts";

/** An entry of the log, of a type that this version knows. */
export interface Numbered<T extends Entry = Entry> {
  readonly index: number;
  readonly entry: T;
}

/**
 * A record with all its files. Those that did not fit into its `record.stored` entry are in the `record.files` entries
 * before it, of the same run: after the last time that this run stored this version, if it did so before.
 * @param trail entries that speak of the subject, in any order
 * @throws HoldfastError "unverified" where their number is not the one that the record's own entry says
 */
export function wholeRecord({ index, entry }: Numbered<RecordStored>, trail: Iterable<Numbered>): RecordStored {
  const { moreFiles = 0, ...stored } = entry;
  if (moreFiles === 0) return entry;
  const before = [...trail]
    .filter((each) => each.index < index && isOf(entry, each.entry))
    .sort((one, other) => one.index - other.index);
  const last = before.findLastIndex((each) => each.entry.type === "record.stored");
  const more = before.slice(last + 1).flatMap((each) => (each.entry.type === "record.files" ? each.entry.files : []));
  if (more.length === moreFiles) return { ...stored, files: [...more, ...entry.files] };
  throw new HoldfastError(
    "unverified",
    `entry ${index} says that ${moreFiles} more files of its record are in earlier entries, and ${more.length} are`,
    { hint: "Keep the bag as it is, and ask for it again." },
  );
}

function isOf({ run, subject, version }: RecordStored, other: Entry): boolean {
  if (other.type !== "record.stored" && other.type !== "record.files") return false;
  return other.run === run && other.subject === subject && other.version === version;
}
