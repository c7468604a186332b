import { bytes, minute, number, plural, verifications } from "../observe/format.ts";
import { figure, type Html, html, page, prose } from "../page/html.ts";
import { paper } from "../page/paper.ts";
import { STYLE } from "../page/style.ts";
import { bars } from "./chart.ts";
import { withheldText } from "./coverage.ts";
import { leavingText } from "./leaving.ts";
import type { Night } from "./nights.ts";
import { clockInWords, durationText } from "./policy-text.ts";
import { NIGHTS, type Report } from "./report.ts";
import { underWayText } from "./under-way.ts";

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
  const { client: id, name, coverage, vault, checkpoint, holds, held } = report;
  const found = concerns(report);
  return html`<section class="client${at === 0 ? " first" : ""}${isOnly ? " only" : ""}" id="${id}" style="page: ${pageOf(at)}">
${isOnly ? undefined : html`<h1>${name}</h1>`}
${verdict(found)}
${lastExport(report)}
${report.isOfSome ? html`<p class="unsure">The comparison with the provider is about ${report.sources.map(({ name }) => name).join(", ")} only. All other figures are of the whole vault.</p>` : undefined}
<div class="figures">
${figure(number(coverage.vault.subjects), coverage.vault.subjects === 1 ? "verification kept" : "verifications kept")}
${figure(number(coverage.vault.versions), "records")}
${figure(number(coverage.vault.files), "document files")}
${figure(bytes(coverage.vault.bytes), "encrypted")}
${figure(number(held), held === 1 ? "legal hold" : "legal holds")}
</div>
${coverageView(report)}
${nightsView(report)}
${growthView(report)}
${keptView(report)}
<section class="together">
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
</section>
<section class="together">
<h2>Proof</h2>
<p class="soft">The audit log records every change. Its root hash is a fingerprint of all entries: keep this report, and a later check against it shows whether an entry was altered or removed since.</p>
<dl class="facts">
<dt>Vault</dt><dd><code>${vault}</code></dd>
<dt>Audit log</dt><dd>${checkpoint.origin}, ${plural(checkpoint.size, "entry", "entries")}</dd>
<dt>Root hash</dt><dd><code>${checkpoint.root}</code></dd>
<dt>Last verified</dt><dd>${verifiedWords(report)}</dd>
</dl>
</section>
</section>
`;
}

/** What someone should look at; `isBad` where something unprotected or damaged is meant. */
interface Concern {
  readonly words: string;
  readonly isBad?: boolean;
}

function verdict(found: readonly Concern[]): Html {
  if (found.length === 0)
    return html`<div class="attention good"><strong class="good">Nothing needs attention.</strong></div>`;
  const colour = found.some(({ isBad }) => isBad) ? "bad" : "unsure";
  return html`<div class="attention ${colour}">
<strong class="${colour}">Needs attention:</strong>
<ul>${found.map(({ words, isBad }) => (isBad ? html`<li class="bad">${prose(words)}</li>` : html`<li>${prose(words)}</li>`))}</ul>
</div>`;
}

/** In the order in which it matters. */
function concerns(report: Report): Concern[] {
  const { coverage, nights, horizon, verified, notAsked, isPolicyLogged, made, underWay, sources, leaving } = report;
  const last = nights.findLast(({ outcome }) => outcome !== "none");
  const quiet = nights.length - 1 - nights.findLastIndex(({ outcome }) => outcome !== "none");
  const { missing, changed, failed, withheld, source } = coverage;
  const purgeable = horizon.past.subjects - horizon.past.held - horizon.past.locked;
  const is = (holds: boolean, words: () => string, isBad = false): Concern[] =>
    holds ? [{ words: words(), isBad }] : [];
  return [
    ...is(horizon.locksEnded > 0, () => locksEndedText(horizon.locksEnded), true),
    ...is(
      (verified?.unlocked ?? 0) > 0,
      () =>
        `At the last verification ${plural(verified!.unlocked!, "object")} that must be locked ${verified!.unlocked === 1 ? "was" : "were"} not. Run \`holdfast retention extend\`.`,
      true,
    ),
    ...is(
      (verified?.problems ?? 0) > 0,
      () => `The last verification found ${plural(verified!.problems, "problem")}.`,
      true,
    ),
    ...is(
      (verified?.unlisted ?? 0) > 0,
      () => "At the last verification the store's listing was wrong, so not everything could be checked.",
    ),
    ...is(last === undefined, () =>
      coverage.vault.subjects + coverage.purged > 0
        ? `No export ran in the last ${NIGHTS} nights.`
        : "Nothing was ever exported.",
    ),
    ...is(
      last !== undefined && last.outcome !== "running" && quiet > 1,
      () => `No export ran for ${plural(quiet, "night")}; the last one was on ${last!.day}.`,
    ),
    ...is(
      last !== undefined && last.outcome !== "done" && last.outcome !== "running" && sources.length === 1,
      () => `The last export, on ${last!.day}, ${OUTCOMES[last!.outcome].words}.`,
    ),
    ...(sources.length > 1 ? sources.flatMap(sourceConcern) : []),
    ...sources.flatMap(({ name, retired, stalled }) => is(!retired && stalled > 0, () => stalledText(name, stalled))),
    ...leaving.flatMap((of) => is(leavingText(of) !== "", () => leavingText(of))),
    ...is(missing.count > 0, () => `${verifications(missing.count)} at the source, and not in the vault.`),
    ...is(changed.count > 0, () => `${verifications(changed.count)} changed at the source since the last export.`),
    ...is(failed.count > 0, () => `${verifications(failed.count)} could not be exported when last tried.`),
    ...is(
      withheld.count > 0,
      () => `${withheldText(withheld)}. Run \`holdfast export --withheld\` once the provider grants them.`,
    ),
    ...is(
      (source?.unreadable ?? 0) > 0,
      () => `${plural(source!.unreadable, "line")} of the source's list cannot be read.`,
    ),
    ...is(
      purgeable > 0,
      () =>
        `${verifications(purgeable)} past the end of the retention period. Run \`holdfast retention purge\`: it lists them.`,
    ),
    ...is(
      verified?.keyTrusted === false,
      () => "The last verification took the log key from the vault itself. Run `holdfast verify` with --vkey.",
    ),
    ...is(verified === null, () => "The vault was never verified on this machine."),
    ...is(
      verified !== null && daysSince(verified.time, made) > LONG_AGO,
      () => `The vault was last verified ${plural(daysSince(verified!.time, made), "day")} ago.`,
    ),
    ...is(!isPolicyLogged, () => "The rules below are those of the config; the log has others, until the next export."),
    ...is(notAsked !== null && !areRetired(sources), () => `The source was not asked: ${notAsked}`),
    ...is(underWay.state === "unknown", () => underWayText(underWay)!),
  ];
}

/** Then it is no alarm that no source was asked. */
function areRetired(sources: Report["sources"]): boolean {
  return sources.every(({ retired }) => retired);
}

/** A later run of another source does not make this one's failure good. */
function sourceConcern({ name, retired, outcome, time }: Report["sources"][number]): Concern[] {
  if (retired || outcome === "done" || outcome === "running") return [];
  if (time === null) return [{ words: `No run of the source ${name} is in the log.` }];
  return [{ words: `The last run of the source ${name}, on ${time.slice(0, 10)}, ${OUTCOMES[outcome].words}.` }];
}

function stalledText(source: string, count: number): string {
  return `${plural(count, "drop")} of the source ${source} began more than three days before its last run, and ${count === 1 ? "is" : "are"} not complete: no one in ${count === 1 ? "it" : "them"} is exported. Run \`holdfast folder check\`.`;
}

function locksEndedText(count: number): string {
  return `${plural(count, "object")} that must be kept ${count === 1 ? "is" : "are"} no longer locked: the lock has ended. Run \`holdfast retention extend\`.`;
}

function locksView({ locksEnded, locksDue }: Report["horizon"]): Html {
  return html`${locksEnded > 0 ? html`<p class="bad">${locksEndedText(locksEnded)}</p>` : undefined}
<p>${locksDue > 0 ? `${plural(locksDue, "object")} ${locksDue === 1 ? "is" : "are"} locked, and due for a longer lock: the next export sets it.` : locksEnded === 0 ? "All locks are current." : ""} A lock keeps an object from being deleted or replaced in the store. While a relationship lasts, locks are short, and each export renews those about to end.</p>`;
}

/** What came of the last run; then what other runs of that day came to, which it made good or not. */
function lastExport(report: Report): Html | undefined {
  const { nights, underWay } = report;
  const last = nights.findLast(({ outcome }) => outcome !== "none");
  const writing = underWay.state === "running" ? html`<p>${underWayText(underWay)}</p>` : undefined;
  if (last?.time == null) return writing;
  const { words, colour } = OUTCOMES[last.outcome];
  const at =
    last.outcome === "running"
      ? undefined
      : html`<p>Last export: ${minute(last.time)} UTC, <span class="${colour}">${words}</span>.</p>`;
  const others = unwellText(last);
  const all = report.sources.length > 1 ? report.sources : [];
  return html`${at}${others === "" ? undefined : html`<p class="soft">${last.day}: ${others}.</p>`}${all.length === 0 ? undefined : html`<ul>${all.map(sourceLine)}</ul>`}${writing}`;
}

function sourceLine({ name, retired, outcome, time }: Report["sources"][number]): Html {
  if (retired) return html`<li>${name}: retired, not asked</li>`;
  const { words, colour } = OUTCOMES[outcome];
  const at = time === null ? "" : `, ${minute(time)} UTC`;
  return html`<li>${name}: last run <span class="${colour}">${words}</span>${at}</li>`;
}

/** `1 of 7 runs failed (stripe)`; empty where the day had one run, or each ended well. */
function unwellText({ runs, unwell, unwellOf }: Night): string {
  if (runs < 2) return "";
  const told = Object.entries(unwell) as [Night["outcome"], number][];
  return told
    .map(([outcome, count]) => {
      const sources = unwellOf[outcome]?.join(", ") ?? "";
      return `${number(count)} of ${number(runs)} runs ${OUTCOMES[outcome].words}${sources === "" ? "" : ` (${sources})`}`;
    })
    .join("; ");
}

function coverageView({ coverage, notAsked, sources, isOfSome }: Report): Html {
  const { source, missing, changed, failed, withheld, gone, past, purged, vault } = coverage;
  // Without the provider's list, no one was compared.
  const ofList = (count: number): number => (source === null ? Number.NaN : count);
  const rows: readonly (readonly [string, number, string])[] = [
    ["At the provider", source?.listed ?? Number.NaN, ""],
    [isOfSome || sources.length > 1 ? "In the vault, of all sources" : "In the vault", vault.subjects, ""],
    ["At the provider, not in the vault", ofList(missing.count), missing.count > 0 ? "bad" : ""],
    ["Changed at the provider since the last export", ofList(changed.count), changed.count > 0 ? "unsure" : ""],
    ["Last export failed", failed.count, failed.count > 0 ? "bad" : ""],
    ["Files missing: the provider withheld them", withheld.count, withheld.count > 0 ? "unsure" : ""],
    ["In the vault, no longer at the provider", gone.count, ""],
    ["At the provider, past their retention period", ofList(past.count), ""],
    ["Destroyed after their retention period", purged, ""],
  ];
  return html`<section class="together">
<h2>Provider and vault compared</h2>
${notAsked === null ? undefined : html`<p class="${areRetired(sources) ? "soft" : "unsure"}">The provider was not asked (${notAsked}). ${source === null ? "What only its list shows is not known; the other figures are those of the log." : "The figures at the provider are those of the other sources."}</p>`}
<table><thead><tr><th>Verifications</th><th class="number">Number</th></tr></thead><tbody>
${rows.map(([words, count, colour]) => html`<tr><td>${words}</td><td class="number ${colour}">${Number.isNaN(count) ? "not known" : number(count)}</td></tr>`)}
</tbody></table>
</section>
`;
}

const OUTCOMES: Readonly<Record<Night["outcome"], { words: string; mark: string; colour: string }>> = {
  done: { words: "succeeded", mark: "Run succeeded", colour: "good" },
  partial: { words: "left records undone", mark: "Records left undone", colour: "unsure" },
  interrupted: { words: "stopped when asked to", mark: "Run interrupted", colour: "unsure" },
  failed: { words: "failed", mark: "Run failed", colour: "bad" },
  unended: { words: "did not finish", mark: "Run did not finish", colour: "bad" },
  running: { words: "is under way", mark: "Run under way", colour: "soft" },
  none: { words: "did not run", mark: "No run", colour: "soft" },
};

function nightsView({ client: id, nights }: Report): Html {
  return html`<section class="together">
<h2>Exports, day by day</h2>
${bars({
  id: `${id}-nights`,
  title: "Identities exported by day, and how the last run of each day ended",
  labels: nights.map(({ day }) => day),
  empty: "No export has run yet.",
  short: dayAndMonth,
  series: [
    { name: "Identities exported", colour: "accent", values: nights.map(({ stored }) => stored) },
    { name: "Identities failed", colour: "bad", values: nights.map(({ failed }) => failed) },
  ],
  format: number,
  marks: nights.map((night) => {
    const { mark, colour } = OUTCOMES[night.outcome];
    return { word: mark, colour, note: unwellText(night) };
  }),
})}
</section>
`;
}

function growthView({ client: id, growth }: Report): Html {
  return html`<section class="together">
<h2>Stored, by month</h2>
${bars({
  id: `${id}-growth`,
  title: "Bytes stored by month",
  labels: growth.map(({ month }) => month),
  empty: "Nothing has been stored yet.",
  short: monthAndYear,
  series: [{ name: "Stored", colour: "accent", values: growth.map((of) => of.bytes) }],
  format: bytes,
})}
</section>
`;
}

function keptView(report: Report): Html {
  const { client: id, horizon } = report;
  const { past } = horizon;
  return html`<section class="together">
<h2>How long records are kept</h2>
${policyView(report)}
</section>
<section class="together">
<h3>End of retention, by month</h3>
<p>${plural(horizon.open.objects, "object")} (${bytes(horizon.open.bytes)}) have no end date yet: the end of the relationship is not recorded. An end is recorded for ${verifications(horizon.ended)}.${past.subjects > 0 ? ` ${verifications(past.subjects)} past the end of retention: ${number(past.held)} kept by a legal hold, ${number(past.locked)} by a lock still in effect.` : ""}</p>
${bars({
  id: `${id}-due`,
  title: "Objects whose retention ends, by month",
  labels: horizon.due.map(({ month }) => month),
  empty: "No object has an end date in the future.",
  short: monthAndYear,
  series: [{ name: "Objects", colour: "accent", values: horizon.due.map((of) => of.objects) }],
  format: number,
})}
</section>
<section class="together">
<h3>End of locks, by month</h3>
${locksView(horizon)}
${bars({
  id: `${id}-locks`,
  title: "Objects whose lock ends, by month",
  labels: horizon.locks.map(({ month }) => month),
  empty: "No object is locked.",
  short: monthAndYear,
  series: [{ name: "Objects", colour: "soft", values: horizon.locks.map((of) => of.objects) }],
  format: number,
})}
</section>
`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `2026-11-24` as `24 Nov`. */
function dayAndMonth(day: string): string {
  return `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1]}`;
}

/** `2026-11` as `Nov 2026`. */
function monthAndYear(month: string): string {
  return `${MONTHS[Number(month.slice(5)) - 1]} ${month.slice(0, 4)}`;
}

function policyView({ policy, legalBasis, collect }: Report): Html {
  const classes = [
    ["identifying", "Identifying data"],
    ["verification", "Verification results"],
    ["files", "Document files"],
  ] as const;
  return html`<dl class="facts">
<dt>Legal basis</dt><dd>${legalBasis.length > 0 ? legalBasis.join("; ") : "not named in the config"}</dd>
<dt>Copies</dt><dd>${collect === "full" ? "full: data points, metadata, results, document files" : "minimal: yes and no answers only"}</dd>
${classes.map(([name, words]) => html`<dt>${words}</dt><dd>${clockInWords(policy[name] ?? "")}</dd>`)}
<dt>Locks</dt><dd>${policy.lock ?? ""} mode; ${durationText(policy.initialLock ?? "")} at first, renewed with less than ${durationText(policy.extendWhenLessThan ?? "")} left</dd>
</dl>
`;
}

/** Of a verification, in days: a month and a day's grace. */
export const LONG_AGO = 32;

function daysSince(time: string, now: string): number {
  return Math.floor(Temporal.Instant.from(now).since(Temporal.Instant.from(time)).total("days"));
}

function verifiedWords({ verified, made }: Report): Html | string {
  if (verified === null) return html`<span class="unsure">never on this machine</span>`;
  const days = daysSince(verified.time, made);
  const ago = days <= 0 ? "today" : `${plural(days, "day")} ago`;
  const { problems, unlocked = 0, unlisted = 0, locks } = verified;
  const looked =
    locks === undefined || locks.looked === locks.of
      ? ""
      : `, the locks of ${number(locks.looked)} of ${plural(locks.of, "object")} looked at`;
  const found = [
    ...(problems > 0 ? [`${plural(problems, "problem")} found`] : []),
    ...(unlocked > 0 ? [`${plural(unlocked, "object")} not locked`] : []),
    ...(unlisted > 0 ? ["could not check everything: the store's listing was wrong"] : []),
  ];
  return html`<span class="${found.length === 0 ? "good" : "bad"}">${minute(verified.time)} UTC (${ago}): ${found.join(", ") || "no problems"}</span>, ${plural(verified.entries, "entry", "entries")} of the log, ${String(verified.readData)} % of the content read${looked}`;
}
