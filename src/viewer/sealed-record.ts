import { dataPath, entryPath } from "../bag/layout.ts";
import { HoldfastError } from "../core/error.ts";
import type { BagFile } from "./bag-file.ts";
import type { Check, Findings, Verdict } from "./finding.ts";
import type { Json } from "./json.ts";
import { lastStored } from "./last-stored.ts";
import type { ShownEntry } from "./log-entry.ts";
import type { Contents } from "./manifest.ts";
import type { Subject } from "./retrieval.ts";

/** A sealed object of the bag against the lines of the log that name it. */
export interface SealedObject {
  readonly key: string;
  /** Absent where the bag lacks it. */
  readonly file: BagFile | undefined;
  /** Why its bytes are not shown to be those that were stored; null where they are. */
  readonly unproven: string | null;
  /** That is only because something could not be read here. */
  readonly unchecked: boolean;
  /** The line of the log that says it was destroyed after its retention period; then it is not in the bag. */
  readonly purged: number | null;
}

/** `good` in the sense of `agreed`, where that is not the word of the bag alone. */
export function verdictOf(
  of: { readonly unproven: string | null; readonly unchecked: boolean },
  agreed: Verdict,
): Verdict {
  if (of.unproven === null) return agreed;
  return of.unchecked ? "unchecked" : "bad";
}

/** The lines of the log that the bag has, by index; and those that are there and could not be read here. */
export interface LogLines {
  readonly entries: ReadonlyMap<number, ShownEntry>;
  readonly unread: ReadonlySet<number>;
}

export interface SealedVersion extends SealedObject {
  readonly version: string;
  readonly entry: ShownEntry | null;
  readonly files: readonly SealedObject[];
  /** What was checked of the record itself. */
  readonly checks: readonly Check[];
}

/** All versions of a subject. What was stored again has another digest in its later line: the bag has one of the two. */
export function checkVersions(
  { subject, records, trail }: Subject,
  { entries, unread }: LogLines,
  contents: Contents,
  agreed: Verdict,
  findings: Findings,
): SealedVersion[] {
  const purges = [...entries.values()].filter(
    ({ type, unproven, json }) =>
      type === "record.purged" && unproven === null && json.member("subject").value === subject,
  );
  const lines = records.map(({ version, entry: index }) => {
    const entry = entries.get(index) ?? null;
    const told = trail.flatMap((at) => entries.get(at) ?? []);
    const stored = entry === null ? null : storedBy(entry, subject, version, told, findings);
    return { version, index, entry, stored };
  });
  /** A line that no one looked at may say what is looked for in vain. */
  const unlooked = (index: number) => unread.has(index) || entries.get(index)?.unchecked === true;
  const recordsUnlooked = lines.some(({ index }) => unlooked(index));
  const purgesUnlooked = recordsUnlooked || trail.some(unlooked);
  /** Key to `<size> <sha256>` of each time that a proven line says it was stored. */
  const promised = new Map<string, Set<string>>();
  for (const { entry, stored } of lines) {
    if (stored === null || entry?.unproven !== null) continue;
    for (const { key, size, sha256 } of stored) {
      promised.set(key, (promised.get(key) ?? new Set()).add(`${size} ${sha256}`));
    }
  }

  const ofSubject = [...trail, ...records.map(({ entry }) => entry)]
    .flatMap((at) => entries.get(at) ?? [])
    .filter(({ json }) => json.member("subject").value === subject);
  const lasts = lastStored(ofSubject, findings);

  /** After the last line of this bag that stored it. */
  function purgeOf(key: string): number | null {
    const stored = lasts.get(key) ?? -1;
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
    const file = contents.files.get(path);
    if (file === undefined) {
      const purged = purgeOf(key);
      if (purged !== null) return { key, file, unproven: null, unchecked: false, purged };
      if (purgesUnlooked)
        return unchecked(key, file, "It is not in the bag, and the line that may say why was not checked.");
      return wrong(key, file, "Missing: the log says that it was stored, and it is not in the bag.");
    }
    // Noted where it was read.
    if (!contents.digests.has(path))
      return { key, file, unproven: "Not checked. It could not be read here.", unchecked: true, purged: null };
    const known = promised.get(key);
    if (known?.has(`${file.size} ${contents.digests.get(path)}`))
      return { key, file, unproven: null, unchecked: false, purged: null };
    if (recordsUnlooked) return unchecked(key, file, "The line of the log that names it was not checked.");
    return known === undefined
      ? wrong(key, file, "No proof that the line that names it is in the log.")
      : wrong(
          key,
          file,
          "Changed: these are not the bytes that were stored. Their SHA-256 differs from the one in the log.",
        );
  }

  function wrong(key: string, file: BagFile | undefined, unproven: string): SealedObject {
    findings.wrong(dataPath(key), unproven);
    return { key, file, unproven, unchecked: false, purged: null };
  }

  function unchecked(key: string, file: BagFile | undefined, words: string): SealedObject {
    const unproven = `Not checked. ${words}`;
    findings.notChecked(dataPath(key), words);
    return { key, file, unproven, unchecked: true, purged: null };
  }

  return lines.map(({ version, index, entry, stored }) => {
    const [record, ...files] = (stored ?? []).map(({ key }) => check(key));
    const object = record ?? {
      key: "",
      file: undefined,
      purged: null,
      unchecked: unread.has(index),
      unproven: unread.has(index)
        ? "Not checked. The line of the log that names it could not be read here."
        : "The line of the log that names it is missing.",
    };
    return {
      ...object,
      version,
      entry,
      files,
      checks: [
        {
          title: "Content",
          verdict: verdictOf(object, agreed),
          words:
            object.unproven ??
            `These are exactly the sealed bytes that were stored. SHA-256: ${contents.digests.get(dataPath(object.key))}.`,
        },
        {
          title: "In the log",
          verdict: entry === null ? (unread.has(index) ? "unchecked" : "bad") : verdictOf(entry, agreed),
          words:
            entry === null
              ? `Line ${index} of the log is missing, or could not be read.`
              : (entry.unproven ??
                `Line ${index} of the audit log records it, and the proof shows that the signed log contains this line.`),
        },
      ],
    };
  });
}

interface LoggedObject {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * What a line says was stored: the record, then its files, those of the lines before it too. Null unless it is about
 * this very version, and all its files are told of.
 */
function storedBy(
  entry: ShownEntry,
  subject: string,
  version: string,
  trail: readonly ShownEntry[],
  findings: Findings,
): LoggedObject[] | null {
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
    findings.wrong(entryPath(index), "This line is about a different record.");
  } catch (error) {
    findings.note(entryPath(index), error);
  }
  return null;
}

/**
 * The files that did not fit into a record's own line: they are in `record.files` lines before it, of the same run, after
 * the last time that this run stored this version. Throws `unverified` where they are not as many as its own line says.
 */
function moreFiles({ index, run, json }: ShownEntry, trail: readonly ShownEntry[]): Json[] {
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
