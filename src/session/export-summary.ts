import { HoldfastError } from "../core/error.ts";
import type { Summary } from "../export/summary.ts";
import { bytes, number, plural, seconds } from "../observe/format.ts";
import type { Line } from "../observe/line.ts";
import type { Extended } from "../retention/extend.ts";
import { locksText, refuseDue } from "./retention-work.ts";

export interface ExportSummary extends Summary {
  /** Of a run that was about everyone. */
  readonly locks?: Extended;
  /** What kept the locks from being extended. The export itself went on. */
  readonly lockFailure?: unknown;
  /** Of the identities named, which the provider does not have, as they were named, from 1. Nothing of them is logged. */
  readonly unknown?: readonly number[];
}

/** A typing error. Who else was named is exported all the same. */
export function noSuchIdentity(unknown: readonly number[], exported: number): HoldfastError {
  const [what, which] =
    unknown.length === 1 ? ["identity", "number"] : [`identities, ${number(unknown.length)} in all`, "numbers"];
  const others = exported === 0 ? "" : ` (the ${which} ${unknown.join(", ")} named); the others were exported`;
  return new HoldfastError("usage", `the provider has no such ${what}${others}`, {
    hint: "Check the id, and that the API key is that of the right project. The log has no entry of it.",
  });
}

/** Throws `interrupted` or `partial` where not all was done: the command's exit code. */
export function refuseUnfinished(summaries: readonly ExportSummary[], isNamed = false): void {
  if (summaries.some(({ outcome }) => outcome === "interrupted"))
    throw new HoldfastError("interrupted", "interrupted; the next run goes on from here");
  const mistyped = summaries.find(({ unknown = [] }) => unknown.length > 0);
  const failed = summaries.reduce((sum, summary) => sum + summary.failed, 0);
  if (failed === 0 && mistyped?.unknown) throw noSuchIdentity(mistyped.unknown, mistyped.examined);
  if (failed === 0) {
    refuseDue(summaries.flatMap(({ locks }) => locks ?? []));
    return;
  }
  throw new HoldfastError("partial", `${failed} record${failed === 1 ? "" : "s"} failed; the others are kept`, {
    hint: `The log says which, by subject and code. ${isNamed ? "Name them again to try again: the nightly run tries only people whom the provider lists." : "The next run tries them again."}`,
  });
}

const OUTCOMES = {
  done: { heading: "done", tone: "good" },
  partial: { heading: "done in part", tone: "warning" },
  failed: { heading: "failed", tone: "bad" },
  interrupted: { heading: "interrupted", tone: "warning" },
} as const;

/** @param isNamed people were named on the command line: no other run need be about them */
export function summaryText(summary: ExportSummary, isNamed = false): Line[] {
  const { client, outcome, examined, unchanged, gone, failed, files, withheld, requests, retries } = summary;
  const { heading, tone } = OUTCOMES[outcome];
  const rows = [
    ["new", number(summary.new)],
    ["changed", number(summary.changed)],
    ["unchanged", number(unchanged)],
    ...(summary.again > 0 ? [["again", `${number(summary.again)} (stored again, as asked)`]] : []),
    ...(summary.past > 0
      ? [["past", `${number(summary.past)} (past the end of their retention period; not taken)`]]
      : []),
    ...(gone > 0 ? [["gone", `${number(gone)} (at the provider; the copies stay)`]] : []),
    ["files", `${number(files)} stored, ${number(withheld)} withheld by the provider`],
    ...(summary.unknown ? [["unknown", `${number(summary.unknown.length)} (the provider has no such identity)`]] : []),
    ["failed", failed > 0 ? `${number(failed)}${isNamed ? "" : " (logged; tried again on the next run)"}` : "0"],
    ["sealed", bytes(summary.bytes)],
    ["requests", `${number(requests)} to the source, ${plural(retries, "retry", "retries")}`],
    ...(summary.locks ? [["locks", locksText(summary.locks)]] : []),
    ["time", seconds(summary.seconds)],
  ];
  return [
    {
      text: `${client}: ${heading}, ${plural(examined, "identity", "identities")} examined  (run ${summary.run})`,
      tone,
      mark: heading,
    },
    ...rows.map(([name, value]): Line => {
      const text = `  ${name!.padEnd(10)}${value}`;
      return name === "failed" && failed > 0 ? { text, tone: "bad" } : text;
    }),
  ];
}
