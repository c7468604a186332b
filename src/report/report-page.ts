import { bytes, minute, number, plural } from "../observe/format.ts";
import { figure, type Html, html, page } from "../page/html.ts";
import { paper, STYLE } from "../page/style.ts";
import { verdict } from "./concerns.ts";
import { coverageSection } from "./coverage-section.ts";
import { exportsSection, lastExport, storedSection } from "./exports-section.ts";
import { keepingSection } from "./keeping-section.ts";
import { proofSection } from "./proof-section.ts";
import type { Report } from "./report.ts";

/** A client whose vault could not be read, and why. */
export interface Untold {
  readonly client: string;
  readonly why: string;
}

/** Everything that people ask a compliance officer, on one page that loads nothing: to read, to print, to file. */
export function reportPage(reports: readonly Report[], untold: readonly Untold[], made: string): string {
  const [only] = reports.length === 1 && untold.length === 0 ? reports : [];
  const title = `${TITLE}, ${made.slice(0, 10)}`;
  return page({
    title: only ? `${only.name}: ${title}` : title,
    style: [STYLE, ...reports.map(({ name }, at) => `${paper(`${name} · ${title}`, pageOf(at))}`)].join("\n"),
    body: html`<main>
<header style="page: ${pageOf(0)}">
<p class="eyebrow">Report on identity records</p>
<h1>${only ? only.name : plural(reports.length + untold.length, "client")}</h1>
<p class="lead soft">Prepared by Holdfast on ${minute(made)} UTC. A token stands for a verification or a case: a code that tells nothing about them without the client's lookup key.</p>
${reports.length > 1 ? html`<nav aria-label="Clients"><ul>${reports.map(({ client, name }) => html`<li><a href="#${client}">${name}</a></li>`)}</ul></nav>` : undefined}
${
  untold.length > 0
    ? html`<p class="verdict bad">Not in this report:</p>
<ul>${untold.map(({ client, why }) => html`<li>${client}: ${why}</li>`)}</ul>`
    : undefined
}
</header>
${reports.map((report, at) => client(report, at, report === only))}
</main>`,
  });
}

const TITLE = "Report on identity records";

/** So many bytes of a file show whether it is a report: its title may begin with a long name, escaped. */
export const REPORT_START = 8_192;

/** Whether a file that begins so is a report, of this version or an earlier one. */
export function isReportPage(start: string): boolean {
  if (!start.startsWith("<!doctype html>")) return false;
  const [, title = ""] = /<title>([^<]*)<\/title>/.exec(start) ?? [];
  return /(^|: )Report on identity records, \d{4}-\d{2}-\d{2}$/.test(title);
}

/** The first client is on the page of the heading, and each other begins one of its own. */
function pageOf(at: number): string {
  return `client-${at}`;
}

function client(report: Report, at: number, isOnly: boolean): Html {
  const { client: id, name, coverage, held } = report;
  return html`<section class="client${at === 0 ? " first" : ""}${isOnly ? " only" : ""}" id="${id}" style="page: ${pageOf(at)}">
${isOnly ? undefined : html`<h1>${name}</h1>`}
${verdict(report)}
${lastExport(report)}
${report.isOfSome ? html`<p class="unsure">The comparison with the provider is about ${report.sources.map(({ name }) => name).join(", ")} only. All other figures are of the whole vault.</p>` : undefined}
<div class="figures">
${figure(number(coverage.vault.subjects), coverage.vault.subjects === 1 ? "verification kept" : "verifications kept")}
${figure(number(coverage.vault.versions), "records")}
${figure(number(coverage.vault.files), "document files")}
${figure(bytes(coverage.vault.bytes), "encrypted")}
${figure(number(held), held === 1 ? "legal hold" : "legal holds")}
</div>
${coverageSection(report)}
${exportsSection(report)}
${storedSection(report)}
${keepingSection(report)}
${holdsSection(report)}
${proofSection(report)}
</section>
`;
}

function holdsSection({ holds, held }: Report): Html {
  return html`<section class="together">
<h2>Legal holds</h2>
${
  holds.length === 0
    ? html`<p class="soft">No legal holds.</p>`
    : html`<p class="soft">Records of these verifications stay until every case has released them.</p>
<table class="cards"><thead><tr><th>Case (token)</th><th>Since</th><th>Person (token)</th></tr></thead><tbody>${holds.map(
        ({ case: token, placed, subject }) =>
          html`<tr><td data-of="Case"><code>${token}</code></td><td data-of="Since" class="day">${placed.slice(0, 10)}</td><td data-of="Person"><code>${subject}</code></td></tr>`,
      )}</tbody></table>${held > holds.length ? html`<p class="soft">The first ${number(holds.length)} of ${number(held)}.</p>` : undefined}`
}
</section>`;
}
