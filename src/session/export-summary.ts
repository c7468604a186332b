import { HoldfastError } from "../core/error.ts";
import { emptyTally, type Summary } from "../export/summary.ts";
import { bytes, number, plural, seconds, verifications } from "../observe/format.ts";
import type { Line } from "../observe/line.ts";
import type { Extended } from "../retention/extend.ts";
import { budgetText } from "../source/rate/limits.ts";
import { locksText, refuseDue } from "./retention-work.ts";

export interface ExportSummary extends Omit<Summary, "source"> {
  /** The name of the source. Null if the run asked none and only extended locks. */
  readonly source: string | null;
  /** For a run over all identities. */
  readonly locks?: Extended;
  /** Positions, from 1, of the named identities that the provider does not have. Nothing about them is logged. */
  readonly unknown?: readonly number[];
}

/** The summary of a run that asked no source. */
export function locksOnly(of: Pick<Summary, "client" | "run" | "retries" | "seconds">): ExportSummary {
  return { ...of, ...emptyTally(), source: null, outcome: "done", requests: 0 };
}

/** What the command line asked for. */
export interface Asked {
  readonly identities?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Only who lacks files that the provider withheld. */
  readonly withheld?: boolean | undefined;
}

/** The command line named the people, so later runs may not include them. */
export function isNamed({ identities, subjects }: Asked): boolean {
  return identities !== undefined || subjects !== undefined;
}

/** The error for a mistyped id. The other named identities are exported. */
export function noSuchIdentity(unknown: readonly number[], exported: number, done = "were exported"): HoldfastError {
  const [what, which] =
    unknown.length === 1 ? ["identity", "number"] : [`identities, ${number(unknown.length)} in all`, "numbers"];
  const others = exported === 0 ? "" : ` (the ${which} ${unknown.join(", ")} named); the others ${done}`;
  return new HoldfastError("usage", `the provider has no such ${what}${others}`, {
    hint: "Check the id, and check that the API key belongs to the right project. The log has no entry about it.",
  });
}

/** Throws `interrupted` or `partial` if something was left undone. This sets the exit code. */
export function refuseUnfinished(summaries: readonly ExportSummary[], asked: Asked = {}): void {
  if (summaries.some(({ outcome }) => outcome === "interrupted"))
    throw new HoldfastError("interrupted", "interrupted; the next run continues from here");
  const mistyped = summaries.find(({ unknown = [] }) => unknown.length > 0);
  const failed = summaries.reduce((sum, summary) => sum + summary.failed, 0);
  if (failed === 0 && mistyped?.unknown) throw noSuchIdentity(mistyped.unknown, mistyped.examined);
  if (failed === 0) {
    refuseDue(summaries.flatMap(({ locks }) => locks ?? []));
    if (asked.withheld) refuseWithheld(summaries);
    refuseUnread(summaries);
    return;
  }
  throw new HoldfastError("partial", `${failed} record${failed === 1 ? "" : "s"} failed; the others are kept`, {
    hint: `The log names each by subject and code, and counts entries whose id cannot be read. ${isNamed(asked) ? "To retry, name them again: the nightly run includes only people whom the provider lists." : "The next run retries them."}`,
  });
}

/** What came by webhooks was not looked at. Everything else was. */
export function refuseUnread(
  summaries: readonly Pick<ExportSummary, "inboxUnread">[],
  asked = "were not asked about; all others were",
): void {
  const unread = summaries.filter(({ inboxUnread }) => inboxUnread);
  if (unread.length === 0) return;
  throw new HoldfastError(
    "partial",
    `could not read the inbox of ${plural(unread.length, "source")}, so people whom webhooks named ${asked}`,
    {
      hint: "The log says why, and how to fix it. Then run `holdfast export` again.",
    },
  );
}

/** A nightly run does not alarm about these each night: some providers withhold a file forever. */
function refuseWithheld(summaries: readonly ExportSummary[]): void {
  const sum = (name: "withheld" | "lacking") => summaries.reduce((total, of) => total + of[name], 0);
  if (sum("withheld") === 0) return;
  throw new HoldfastError(
    "partial",
    `${plural(sum("withheld"), "file")} of ${verifications(sum("lacking"))} still withheld`,
    {
      hint: "Ask the provider to grant them, then run `holdfast export --withheld` again.",
    },
  );
}

const OUTCOMES = {
  done: { heading: "done", tone: "good" },
  partial: { heading: "partly done", tone: "warning" },
  failed: { heading: "failed", tone: "bad" },
  interrupted: { heading: "interrupted", tone: "warning" },
} as const;

/** @param place the client, and its source where it has several */
export function summaryText(summary: ExportSummary, asked: Asked = {}, place: string = summary.client): Line[] {
  const { outcome, examined, unchanged, gone, failed, files, withheld } = summary;
  const { heading, tone } = OUTCOMES[outcome];
  if (summary.source === null) {
    const locks = summary.locks ? locksText(summary.locks) : "the locks were not extended";
    return [`${place}: no source was asked; ${locks}  (run ${summary.run})`];
  }
  const rows = [
    ...askedRow(summary),
    ["new", number(summary.new)],
    ["changed", number(summary.changed)],
    ["unchanged", number(unchanged)],
    ...(summary.again > 0 ? [["again", `${number(summary.again)} (stored again, as asked)`]] : []),
    ...(summary.past > 0 ? [["past", `${number(summary.past)} (past their retention date; skipped)`]] : []),
    ...(gone > 0 ? [["gone", `${number(gone)} (no longer at the provider; the copies stay)`]] : []),
    ...(summary.notFound > 0
      ? [["not found", `${number(summary.notFound)} (neither the provider nor the vault has them)`]]
      : []),
    ...(summary.early > 0 ? [["early", `${number(summary.early)} (named by a webhook, not yet at the provider)`]] : []),
    ["files", `${number(files)} stored`],
    ...(summary.incomplete > 0
      ? [["lacking", `${plural(summary.incomplete, "record lacks", "records lack")} what the key may not read`]]
      : []),
    ...(withheld > 0 ? [["withheld", withheldText(summary, asked)]] : []),
    ...(summary.unknown ? [["unknown", `${number(summary.unknown.length)} (the provider has no such identity)`]] : []),
    ...(summary.waiting > 0 ? [["waiting", waitingText(summary)]] : []),
    ...(summary.inboxUnread
      ? [["webhooks", "could not be read: people whom they named were not asked about (the log says why)"]]
      : []),
    ["failed", failed > 0 ? `${number(failed)}${isNamed(asked) ? "" : " (logged; the next run retries them)"}` : "0"],
    ["sealed", bytes(summary.bytes)],
    ...requestsRow(summary),
    ...(summary.locks ? [["locks", locksText(summary.locks)]] : []),
    ["time", seconds(summary.seconds)],
  ];
  return [
    {
      text: `${place}: ${heading}, ${plural(examined, "identity", "identities")} examined  (run ${summary.run})`,
      tone,
      mark: heading,
    },
    ...rows.map(([name, value]): Line => {
      const text = `  ${name!.padEnd(10)}${value}`;
      if (["withheld", "lacking", "webhooks"].includes(name!) || (name === "waiting" && summary.stalled > 0))
        return { text, tone: "warning" };
      return name === "failed" && failed > 0 ? { text, tone: "bad" } : text;
    }),
  ];
}

/** A folder is asked by no requests. */
function requestsRow({ requests, retries, budget }: ExportSummary): string[][] {
  const retried = plural(retries, "retry", "retries");
  if (requests === 0) return retries === 0 ? [] : [["retries", `${retried} of the store`]];
  return [["requests", `${number(requests)} to the source, ${retried}${budget ? `; ${budgetText(budget)}` : ""}`]];
}

/** One line about a run at once: such a run comes many times a day. */
export function namedText({ run, examined, ...counts }: Summary, place: string): Line {
  const came = (["new", "changed", "unchanged", "gone", "early", "failed"] as const)
    .filter((name) => counts[name] > 0)
    .map((name) => `${number(counts[name])} ${name === "early" ? "not yet at the provider" : name}`);
  return `${place}: ${plural(examined, "identity", "identities")} named by webhooks: ${came.join(", ") || "none exported"}  (run ${run})`;
}

/** Why the source was asked about people, where its list alone does not say it. */
function askedRow(of: ExportSummary): string[][] {
  const ways = [
    [of.askedByInbox, "by its webhooks"],
    [of.askedByList, "by its list"],
    [of.askedByChanges, "by its changes"],
    [of.askedWhileOpen, "still open"],
    [of.askedAfterFailure, "failed before"],
    [of.askedInTurn, "in turn"],
    [of.askedByName, "named"],
  ] as const;
  const asked = ways.flatMap(([count, why]) => (count > 0 ? [`${number(count)} ${why}`] : []));
  const other = of.askedByInbox + of.askedByChanges + of.askedWhileOpen + of.askedAfterFailure + of.askedInTurn;
  return other === 0 ? [] : [["asked", asked.join(", ")]];
}

/** Of drops that may still be written. */
export function waitingText({ waiting, stalled }: Pick<ExportSummary, "waiting" | "stalled">): string {
  const text = `${plural(waiting, "drop is", "drops are")} not complete yet, and not taken`;
  if (stalled === 0) return text;
  return `${text}; ${stalled === waiting ? "" : `${number(stalled)} `}for more than three days: run \`holdfast folder check\``;
}

function withheldText({ withheld, lacking }: ExportSummary, asked: Asked): string {
  const still = asked.withheld ? "still " : "";
  return `${plural(withheld, "file")} ${still}withheld by the provider (${verifications(lacking)})`;
}
