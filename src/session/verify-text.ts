import { bytes, minute, number, plural, verifications } from "../observe/format.ts";
import type { Line, Tone } from "../observe/line.ts";
import { DAYS } from "../verify/lock-turns.ts";
import type { VerifyReport } from "../verify/verify.ts";
import { untrusted } from "./key-trust.ts";

function timeText({ tokens, trusted, newest }: VerifyReport["timestamps"]): string {
  if (newest === undefined) return "  time      time stamps: none";
  const whose = trusted ? "" : "; their signer was not checked: pass the root certificate that you trust with --tsa-ca";
  return `  time      ${plural(tokens, "time stamp")}; the newest covers the entries below ${number(newest.size)}, stamped at ${newest.time}${whose}`;
}

/** What the auditor keeps: any later log must extend it. `root` in base64. */
export interface CheckpointKept {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

export function reportText(
  client: string,
  report: VerifyReport,
  { origin, size, root }: CheckpointKept,
  keyTrusted: boolean,
  isLocal: boolean,
  inventory: string | null = null,
): Line[] {
  const { entries, checkpoints, records, files, read, readBytes, renewed, purged, orphans, notes } = report;
  const { recordsFaulty, filesFaulty, logConfirmed } = report;
  const { looked } = report;
  const all = records + files + notes;
  const isWhole = looked === all;
  const { due, past, held, unfinished, stuck, unlocked, waiting } = report;
  return [
    { text: `${client}: ${verdict(report, keyTrusted)}  (log ${origin})`, tone: toneOf(report, keyTrusted) },
    logConfirmed
      ? `  log       ${plural(entries, "entry", "entries")} match the signed checkpoint; ${plural(checkpoints, "checkpoint")} in one history`
      : `  log       ${number(entries)} of ${plural(size, "entry", "entries")} read; the signed checkpoint does not confirm them`,
    `  vault     ${some(records, recordsFaulty, "record")} and ${some(files, filesFaulty, "file")} found, with the logged ${isWhole ? checked(read >= all, isLocal) : "version and size"}; ${bytes(report.bytes)}`,
    ...(isWhole
      ? []
      : [
          inventory === null
            ? `  looked at the locks of ${number(looked)} of ${plural(all, "object")} in this run, and at each within ${DAYS} days; --all-locks looks at all`
            : `  looked at the locks of ${number(looked)} of ${plural(all, "object")} in this run; an inventory says of ${number(report.inventoried)} how they were at ${minute(inventory)} UTC`,
        ]),
    ...(notes > 0 ? [`  notes     ${plural(notes, "sealed note")} about holds and retrievals`] : []),
    ...(waiting > 0
      ? [
          `  journal   ${plural(waiting, "entry", "entries")} only in this machine's journal so far; the next run logs them`,
        ]
      : []),
    ...(renewed > 0
      ? [`  renewed   ${plural(renewed, "object")} went missing or were damaged, and have been stored again`]
      : []),
    ...(purged > 0
      ? [`  purged    ${plural(purged, "object")}, as logged, each checked against the entries that led to it`]
      : []),
    ...(due > 0
      ? [`  locks     ${plural(due, "object")} with a lock that the next export or retention extend renews`]
      : []),
    ...(past > 0 ? [`  past      ${plural(past, "object")} past the retention date: retention purge lists them`] : []),
    ...(held > 0 ? [`  held      ${verifications(held)} under a legal hold`] : []),
    ...(unfinished > 0
      ? [`  unended   ${verifications(unfinished)} with an unfinished purge: run \`holdfast retention purge\` again`]
      : []),
    ...(unlocked > 0
      ? [`  unlocked  ${plural(unlocked, "object")} with an expired lock that must be renewed; nothing was changed`]
      : []),
    ...(stuck > 0
      ? [
          `  stuck     ${plural(stuck, "object")} locked longer than the log says, or on hold without an open case${isWhole ? "" : "; of those looked at"}`,
        ]
      : []),
    ...(report.superseded > 0
      ? [`  former    ${plural(report.superseded, "version")} superseded: a later entry stored the same key again`]
      : []),
    ...(orphans > 0
      ? [
          `  orphans   ${plural(orphans, "version")} not in ${logConfirmed ? "the log" : "the entries that could be read"}; --orphans lists them`,
        ]
      : []),
    ...(report.unlisted > 0
      ? [
          `  unlisted  ${plural(report.unlisted, "object")} as logged, which the store's listing leaves out or gives another size: whether it also leaves out what no entry names could not be checked`,
        ]
      : []),
    read > 0
      ? `  content   ${plural(read, "object")} read and hashed; ${bytes(readBytes)}${report.opened === null ? "" : `; ${number(report.opened)} opened with the key`}`
      : "  content   not read: a change within a file is found only by --read-data; --read-data 100 reads and hashes all of it",
    timeText(report.timestamps),
    // Never wrapped: it is copied.
    {
      text: `  keep      ${logConfirmed ? "this checkpoint" : "your earlier checkpoint; this one was not confirmed"}: size ${size}, root hash ${root}`,
      whole: true,
    },
  ];
}

/** A digest that is only noted beside the content says nothing of a directory's files: who changes one can change both. */
function checked(isRead: boolean, isLocal: boolean): string {
  if (isRead) return "size, lock and digest";
  return isLocal ? "size and lock" : "size and lock, and the digest that the store noted";
}

/** `40 files`, or `38 of 40 files` where two are missing or wrong. */
function some(all: number, faulty: number, what: string): string {
  return `${faulty === 0 ? "" : `${number(all - faulty)} of `}${plural(all, what)}`;
}

function verdict({ problems, unlocked, unlisted }: VerifyReport, keyTrusted: boolean): string {
  if (problems > 0) return plural(problems, "problem");
  if (unlocked === 0 && unlisted > 0) {
    const faulty = "could not check everything: the store's listing is wrong";
    return keyTrusted ? faulty : `${untrusted("vault")}; ${faulty}`;
  }
  if (unlocked === 0) return keyTrusted ? "all is well" : untrusted("vault");
  const notLocked = `${plural(unlocked, "object")} ${unlocked === 1 ? "is" : "are"} not locked: run \`holdfast retention extend\``;
  return keyTrusted ? `intact, but ${notLocked}` : `${untrusted("vault")}; ${notLocked}`;
}

function toneOf({ problems, unlocked, unlisted }: VerifyReport, keyTrusted: boolean): Tone {
  if (problems > 0) return "bad";
  return keyTrusted && unlocked === 0 && unlisted === 0 ? "good" : "warning";
}
