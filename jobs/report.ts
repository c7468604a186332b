import { resolve } from "node:path";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { askedSources } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import { errorFields } from "../src/observe/log.ts";
import { type Coverage, coverageOf } from "../src/report/coverage.ts";
import { type Report, reportOf } from "../src/report/report.ts";
import { reportPage, type Untold } from "../src/report/report-page.ts";
import type { Session } from "../src/session/client.ts";
import { coverageNow } from "../src/session/coverage.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { noneAsked } from "../src/session/each-source.ts";
import { openReading, type Reading } from "../src/session/open-reading.ts";
import { refuseOtherThanReport, writeReport } from "../src/session/report-file.ts";
import { webhooksOf } from "../src/session/status.ts";
import { underWay } from "../src/session/under-way.ts";
import { readLastVerify } from "../src/state/last-verify.ts";

interface Flags {
  readonly out?: string;
  readonly offline: boolean;
}

export const reportCommand = withSource(
  command(
    "report",
    "show what is kept, until when, and what needs attention: one page for the person responsible, or JSON",
    ["holdfast report --out report.html", "holdfast report --offline --json | jq '.clients[].horizon'"],
  ),
)
  .option(
    "--out <file>",
    "the page; self-contained, without personal data; replaces an earlier report, and no other file",
  )
  .option("--offline", "do not ask the source for its list; show what the last export found", false)
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      const { out, offline } = options;
      if (out === undefined && !options.json) {
        throw new HoldfastError("usage", "neither --out nor --json is given", {
          hint: "Write a page with --out report.html, or print the figures with --json.",
        });
      }
      await tellClients(session, "report", (onFailure) => report(session, { out, offline }, onFailure));
    }),
  );

export interface ReportOptions {
  /** The page; undefined where only the figures are wanted. */
  readonly out?: string | undefined;
  /** The source is not asked. */
  readonly offline: boolean;
}

/** The state of every client's vault, as figures and as a page. Changes nothing, and runs beside an export. */
export async function report(
  session: Session,
  { out, offline }: ReportOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<Report[]> {
  if (out !== undefined) await refuseOtherThanReport(out);
  const untold: Untold[] = [];
  const reports = await eachClient(
    session,
    (config) => reportClient(config, session, offline),
    (failure) => {
      const { code = "internal", error } = errorFields(failure.error);
      untold.push({ client: failure.client, why: error ?? code });
      if (!onFailure) throw failure.error;
      onFailure(failure);
    },
  );
  // An empty page would replace an earlier one that has content.
  if (out !== undefined && reports.length > 0) {
    await writeReport(out, reportPage(reports, untold, session.now().toString({ smallestUnit: "second" })));
    session.console.say(`${resolve(out)} is ready: open it in a browser, or print it`);
  }
  return reports;
}

async function reportClient(config: ClientConfig, session: Session, offline: boolean): Promise<Report> {
  await using reading = await openReading(config, session);
  const now = session.now();
  const writing = await underWay(reading.vault, session);
  const { coverage, notAsked } = await coverageFor(config, session, reading, offline);
  const found = {
    coverage,
    notAsked,
    verified: readLastVerify(config.state) ?? null,
    webhooks: webhooksOf(config),
    underWay: writing.state === "running" ? writing : await underWay(reading.vault, session),
  };
  using progress = session.console.progress(`${config.id}: what is kept`);
  return await reportOf(config, reading, found, now, (done) => {
    session.signal.throwIfAborted();
    progress.update(done, coverage.vault.subjects);
  });
}

/** Also where no provider can be reached, even permanently: the report covers the vault. */
async function coverageFor(
  config: ClientConfig,
  session: Session,
  reading: Reading,
  offline: boolean,
): Promise<{ coverage: Coverage; notAsked: string | null }> {
  const asked = offline ? [] : askedSources(config);
  const why = offline ? ["--offline"] : [];
  if (asked.length > 0) {
    const { coverage, notAsked } = await coverageNow(config, asked, session, reading);
    const one = config.sources.length === 1;
    why.push(...notAsked.map(({ source, why: of }) => (one ? of : `${source}: ${of}`)));
    if (notAsked.length < asked.length) return { coverage, notAsked: why.length > 0 ? why.join("; ") : null };
  }
  if (asked.length === 0 && !offline) why.push(noneAsked(config));
  return { coverage: await coverageOf(reading.catalog, config, null, session.now()), notAsked: why.join("; ") };
}
