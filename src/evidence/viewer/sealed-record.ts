import { HoldfastError } from "../../error.ts";
import { dataPath, entryPath } from "../bag/layout.ts";
import type { BagFile } from "./bag-file.ts";
import { type Check, type Problem, type Verdict, wordsOf } from "./finding.ts";
import type { Json } from "./json.ts";
import type { LogEntry } from "./log-entry.ts";
import type { Contents } from "./manifest.ts";
import type { Subject } from "./retrieval.ts";

/** A sealed object of the bag against the lines of the log that name it. */
export interface SealedObject {
  readonly key: string;
  /** Absent where the bag lacks it. */
  readonly file: BagFile | undefined;
  /** Why its bytes are not shown to be those that were stored; null where they are. */
  readonly unproven: string | null;
  /** The line of the log that says it was destroyed, at the end of its time; then it is not in the bag. */
  readonly purged: number | null;
}

export interface SealedVersion extends SealedObject {
  readonly version: string;
  readonly entry: LogEntry | null;
  readonly files: readonly SealedObject[];
  /** What was checked of the record itself. */
  readonly checks: readonly Check[];
}

/** All versions of a subject. What was stored anew has another digest in its later line: the bag has one of the two. */
export function checkVersions(
  { subject, records, trail }: Subject,
  entries: ReadonlyMap<number, LogEntry>,
  contents: Contents,
  agreed: Verdict,
  problems: Problem[],
): SealedVersion[] {
  const purges = [...entries.values()].filter(
    ({ type, unproven, json }) =>
      type === "record.purged" && unproven === null && json.member("subject").value === subject,
  );
  const lines = records.map(({ version, entry: index }) => {
    const entry = entries.get(index) ?? null;
    const told = trail.flatMap((at) => entries.get(at) ?? []);
    const stored = entry === null ? null : storedBy(entry, subject, version, told, problems);
    return { version, index, entry, stored };
  });
  /** Key to `<size> <sha256>` of each time that a proven line says it was stored. */
  const promised = new Map<string, Set<string>>();
  for (const { entry, stored } of lines) {
    if (stored === null || entry?.unproven !== null) continue;
    for (const { key, size, sha256 } of stored) {
      promised.set(key, (promised.get(key) ?? new Set()).add(`${size} ${sha256}`));
    }
  }

  /** After the last time that a line of this bag says it was stored. */
  function purgeOf(key: string): number | null {
    const stored = Math.max(
      ...lines.filter((line) => line.stored?.some((each) => each.key === key)).map(({ index }) => index),
    );
    return (
      purges.find(
        ({ index, json }) =>
          index > stored &&
          json
            .member("objects")
            .items(5_000)
            .some((object) => object.member("key").value === key),
      )?.index ?? null
    );
  }

  function check(key: string): SealedObject {
    const path = dataPath(key);
    const purged = contents.files.has(path) ? null : purgeOf(key);
    if (purged !== null) return { key, file: undefined, unproven: null, purged };
    const file = contents.files.get(path);
    const known = promised.get(key);
    const unproven =
      file === undefined
        ? "Missing: the log says that it was stored, and it is not in the bag."
        : known === undefined
          ? "The log is not shown to hold the line that names it."
          : known.has(`${file.size} ${contents.digests.get(path)}`)
            ? null
            : "Changed: these are not the bytes that were stored. Their digest is not the one in the log.";
    if (unproven !== null) problems.push({ path, words: unproven });
    return { key, file, unproven, purged };
  }

  return lines.map(({ version, index, entry, stored }) => {
    const [record, ...files] = (stored ?? []).map(({ key }) => check(key));
    const object = record ?? {
      key: "",
      file: undefined,
      purged: null,
      unproven: "The line of the log that names it is missing.",
    };
    return {
      ...object,
      version,
      entry,
      files,
      checks: [
        {
          title: "Digest",
          verdict: object.unproven === null ? agreed : "bad",
          words:
            object.unproven ??
            `The sealed bytes are those that the log names: SHA-256 ${contents.digests.get(dataPath(object.key))}.`,
        },
        {
          title: "Proof of inclusion",
          verdict: entry?.unproven === null ? agreed : "bad",
          words:
            entry === null
              ? `Line ${index} of the log is missing, or cannot be read.`
              : (entry.unproven ??
                `Line ${index} of the audit log tells of it; the proof leads to the signed head of the log.`),
        },
      ],
    };
  });
}

interface Stored {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * What a line says was stored: the record, then its files, those of the lines before it too. Null unless it is about
 * this very version, and all its files are told of.
 */
function storedBy(
  entry: LogEntry,
  subject: string,
  version: string,
  trail: readonly LogEntry[],
  problems: Problem[],
): Stored[] | null {
  const { index, type, json } = entry;
  try {
    if (
      type === "record.stored" &&
      json.member("subject").value === subject &&
      json.member("version").value === version
    ) {
      const files = [...moreFiles(entry, trail), ...json.member("files").items(5_000)];
      return [json.member("object"), ...files].map((object) => ({
        key: object.member("key").text(500),
        size: object.member("size").count(),
        sha256: object.member("sha256").text(64),
      }));
    }
    problems.push({ path: entryPath(index), words: "This line is not about the record that it is said to be about." });
  } catch (error) {
    problems.push({ path: entryPath(index), words: wordsOf(error) });
  }
  return null;
}

/**
 * The files that did not fit into a record's own line: they are in `record.files` lines before it, of the same run, after
 * the last time that this run stored this version. Throws `unverified` where they are not as many as its own line says.
 */
function moreFiles({ index, run, json }: LogEntry, trail: readonly LogEntry[]): Json[] {
  const count = json.has("moreFiles") ? json.member("moreFiles").count() : 0;
  if (count === 0) return [];
  const before = trail
    .filter((each) => each.index < index && each.run === run && each.unproven === null)
    .filter(({ type }) => type === "record.stored" || type === "record.files")
    .filter((each) => ["subject", "version"].every((name) => each.json.member(name).value === json.member(name).value))
    .sort((one, other) => one.index - other.index);
  const last = before.findLastIndex(({ type }) => type === "record.stored");
  const more = before.slice(last + 1).flatMap((each) => each.json.member("files").items(5_000));
  if (more.length === count) return more;
  throw new HoldfastError(
    "unverified",
    `${count} more files of this record are in earlier lines, it says, and ${more.length} are.`,
  );
}
