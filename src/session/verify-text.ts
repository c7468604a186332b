import { bytes, number, people, plural } from "../observe/format.ts";
import type { Line, Tone } from "../observe/line.ts";
import type { VerifyReport } from "../verify/verify.ts";
import { untrusted } from "./key-trust.ts";

function timeText({ tokens, trusted, newest }: VerifyReport["timestamps"]): string {
  if (newest === undefined) return "  time      time stamps: none";
  const whose = trusted ? "" : "; whose they are was not checked: --tsa-ca names the root certificate that you trust";
  return `  time      ${plural(tokens, "time stamp")}; the newest covers the entries below ${number(newest.size)}, stamped at ${newest.time}${whose}`;
}

/** What the auditor keeps: a later log must continue it. `root` in base64. */
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
): Line[] {
  const { entries, checkpoints, records, files, read, readBytes, renewed, purged, orphans } = report;
  const { due, past, held, unfinished, stuck, unlocked, waiting } = report;
  return [
    { text: `${client}: ${verdict(report, keyTrusted)}  (log ${origin})`, tone: toneOf(report, keyTrusted) },
    `  log       ${plural(entries, "entry", "entries")} hashed against the signed checkpoint, ${plural(checkpoints, "checkpoint")} of one history`,
    `  vault     ${number(records)} records and ${number(files)} files there, with size, lock and the digest noted beside them; ${bytes(report.bytes)}`,
    ...(waiting > 0
      ? [`  journal   entries journaled here and not in the log yet: ${number(waiting)}; the next run logs them`]
      : []),
    ...(renewed > 0
      ? [`  renewed   ${plural(renewed, "object")} that went missing or were damaged, and were stored again since`]
      : []),
    ...(purged > 0 ? [`  purged    ${plural(purged, "object")}, as the log says; held to what it says led there`] : []),
    ...(due > 0
      ? [`  locks     ${plural(due, "object")} whose lock the next export or retention extend sets again`]
      : []),
    ...(past > 0
      ? [`  past      ${plural(past, "object")} that need not be kept any more: retention purge lists them`]
      : []),
    ...(held > 0 ? [`  held      ${people(held)} under a legal hold`] : []),
    ...(unfinished > 0
      ? [`  unended   ${people(unfinished)} whose purge was stopped: run \`holdfast retention purge\` again`]
      : []),
    ...(unlocked > 0
      ? [`  unlocked  ${plural(unlocked, "object")} that must be locked, whose locks ran out; nothing was changed`]
      : []),
    ...(stuck > 0
      ? [`  stuck     ${plural(stuck, "object")} locked for longer than the log says, or held though no case stands`]
      : []),
    ...(orphans > 0 ? [`  orphans   ${plural(orphans, "version")} that no entry mentions; --orphans lists them`] : []),
    read > 0
      ? `  content   ${number(read)} objects read and hashed; ${bytes(readBytes)}${report.opened === null ? "" : `; ${number(report.opened)} opened with the key`}`
      : "  content   not read; --read-data 100 reads and hashes all of it",
    timeText(report.timestamps),
    `  keep      this checkpoint: size ${size}, root hash ${root}`,
  ];
}

function verdict({ problems, unlocked }: VerifyReport, keyTrusted: boolean): string {
  if (problems > 0) return plural(problems, "problem");
  if (unlocked === 0) return keyTrusted ? "all is well" : untrusted("vault");
  const notLocked = `${plural(unlocked, "object")} ${unlocked === 1 ? "is" : "are"} not locked: run \`holdfast retention extend\``;
  return keyTrusted ? `intact, but ${notLocked}` : `${untrusted("vault")}; ${notLocked}`;
}

function toneOf({ problems, unlocked }: VerifyReport, keyTrusted: boolean): Tone {
  if (problems > 0) return "bad";
  return keyTrusted && unlocked === 0 ? "good" : "warning";
}
