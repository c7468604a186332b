import type { RecordPurged } from "../audit/entry.ts";

/** The head of the list that people open: a table of every object that is gone. Nothing in it needs quotes. */
export const DESTROYED_HEAD =
  "subject,object,destroyed,had_to_be_kept_until,relationship_ended,bytes,versions,sha256\n";

/** The rows of one purge, in its order. They follow from the entry alone, so that a reader can make them again. */
export function destroyedRows({ subject, time, ended = "", objects }: RecordPurged): string {
  return objects
    .map(
      ({ key, due, size, versions, sha256 }) =>
        `${[subject, key, time, due, ended, size, versions, sha256].join(",")}\n`,
    )
    .join("");
}
