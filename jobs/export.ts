import { runId } from "../src/audit/run-id.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import type { Selection } from "../src/export/plan.ts";
import { runExport } from "../src/export/run.ts";
import type { Summary } from "../src/export/summary.ts";
import { bytes, number, plural, seconds } from "../src/observe/figures.ts";
import type { Extended } from "../src/retention/extend.ts";
import type { Session } from "./client.ts";
import { type ClientFailure, eachClient } from "./each-client.ts";
import { withParts } from "./parts.ts";
import { extendHeld, locksText, refuseDue } from "./retention.ts";
import { VERSION } from "./version.ts";
import { observerOf, pushed, watched } from "./watch.ts";

export interface ExportOptions {
  /** Provider ids; undefined exports all that is new or changed. */
  readonly identities?: readonly string[] | undefined;
  /** Store the named identities anew though nothing changed. */
  readonly again?: boolean | undefined;
  /** Subjects to store anew, as verify names them. */
  readonly subjects?: readonly string[] | undefined;
  /** Store anew what the provider withheld files of. */
  readonly withheld?: boolean | undefined;
}

export interface ExportSummary extends Summary {
  /** Of a run that was about everybody. */
  readonly locks?: Extended;
}

/** New and changed identities of every client. One client's failure does not keep the others from their export. */
export async function exportClients(
  session: Session,
  options: ExportOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ExportSummary[]> {
  const { clients } = session;
  if ((options.identities || options.subjects) && clients.length > 1) {
    throw new HoldfastError(
      "usage",
      "--identity and --subject name somebody of one client, and the config has several",
      {
        mend: "Add --client <id>.",
      },
    );
  }
  if (options.again && !options.identities) {
    throw new HoldfastError("usage", "--again is for the identities named with --identity", {
      mend: "Add --identity <id>; or name subjects with --subject.",
    });
  }
  for (const subject of options.subjects ?? []) {
    if (/^[0-9a-f]{32}$/.test(subject)) continue;
    throw new HoldfastError("usage", "--subject takes 32 hexadecimal digits", {
      mend: "It is the long part of the key that verify names: records/<2 digits>/<subject>/….",
    });
  }
  return eachClient(
    session,
    async (config) => {
      const summary = await exportWatched(config, session, options);
      session.console.say(summaryText(summary));
      return summary;
    },
    onFailure,
  );
}

/** Throws `interrupted` or `partial` where not all was done: the command's exit code. */
export function refuseUnfinished(summaries: readonly ExportSummary[], signal: AbortSignal): void {
  if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run goes on from here");
  const failed = summaries.reduce((sum, summary) => sum + summary.failed, 0);
  if (failed === 0) {
    refuseDue(summaries.flatMap(({ locks }) => locks ?? []));
    return;
  }
  throw new HoldfastError("partial", `${failed} record${failed === 1 ? "" : "s"} failed; the others are kept`, {
    mend: "The log says which, by subject and code. The next run tries them again.",
  });
}

/** What is named on the command line is no night's work: nobody waits for word of it. */
function exportWatched(config: ClientConfig, session: Session, options: ExportOptions): Promise<ExportSummary> {
  if (options.identities || options.subjects || options.withheld) return exportClient(config, session, options);
  return pushed(config, session, "export", (own) =>
    watched(config, own, "export", () => exportClient(config, own, options)),
  );
}

async function exportClient(config: ClientConfig, session: Session, options: ExportOptions): Promise<ExportSummary> {
  const again = (options.again ?? false) || options.subjects !== undefined || (options.withheld ?? false);
  return withParts(config, session, { job: "export", priority: "high", again }, async ({ parts, retries }) => {
    const exported = runExport(parts, {
      job: "export",
      version: VERSION,
      identities: options.identities,
      selection: selectionOf(options),
      progress: session.console.progress(`${config.id}: identities`),
      retries,
      observer: observerOf(config, session, parts),
    });
    // What is named is fetched at once; the locks are for the night.
    if (options.identities) return exported;
    const [ended] = await Promise.allSettled([exported]);
    if (session.signal.aborted) return exported;
    // Also when the provider is not to be had, be it for ever: the copies must be kept all the same.
    const run = ended.status === "fulfilled" ? ended.value.run : runId(parts.now());
    const [locks] = await Promise.allSettled([extendHeld(config, session, parts, run)]);
    const summary = await exported;
    if (locks.status === "rejected") throw locks.reason;
    return { ...summary, locks: locks.value };
  });
}

function selectionOf({ subjects, withheld }: ExportOptions): Selection {
  if (subjects) return { kind: "subjects", subjects: new Set(subjects) };
  return { kind: withheld ? "withheld" : "changed" };
}

export function summaryText(summary: ExportSummary): string[] {
  const { client, outcome, examined, unchanged, gone, failed, files, withheld, requests, retries } = summary;
  const heading = { done: "done", partial: "done in part", failed: "failed", interrupted: "interrupted" }[outcome];
  const rows = [
    ["new", number(summary.new)],
    ["changed", number(summary.changed)],
    ["unchanged", number(unchanged)],
    ...(summary.again > 0 ? [["again", `${number(summary.again)} (stored anew, as asked)`]] : []),
    ...(summary.past > 0
      ? [["past", `${number(summary.past)} (of whom the law asks for no copy any more; not taken)`]]
      : []),
    ...(gone > 0 ? [["gone", `${number(gone)} (at the provider; the copies stay)`]] : []),
    ["files", `${number(files)} stored, ${number(withheld)} withheld by the provider`],
    ["failed", failed > 0 ? `${number(failed)} (logged; tried again on the next run)` : "0"],
    ["sealed", bytes(summary.bytes)],
    ["requests", `${number(requests)} to the source, ${plural(retries, "retry").replace("retrys", "retries")}`],
    ...(summary.locks ? [["locks", locksText(summary.locks)]] : []),
    ["time", seconds(summary.seconds)],
  ];
  return [
    `${client}: ${heading}, ${plural(examined, "identity").replace("identitys", "identities")} examined  (run ${summary.run})`,
    ...rows.map(([name, value]) => `  ${name!.padEnd(10)}${value}`),
  ];
}
