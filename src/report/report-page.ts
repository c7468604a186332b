import { bytes, number, people, plural } from "../observe/format.ts";
import { figure, type Html, html, page } from "../page/html.ts";
import { STYLE } from "../page/style.ts";
import { bars } from "./chart.ts";
import { withheldText } from "./coverage.ts";
import type { Night } from "./nights.ts";
import { clockInWords, durationText } from "./policy-text.ts";
import { NIGHTS, type Report } from "./report.ts";
import { minute, underWayText } from "./under-way.ts";

/** A client whose vault could not be read, and why. */
export interface Untold {
  readonly client: string;
  readonly why: string;
}

/** Everything a compliance officer is asked, on one page that loads nothing: to read, to print, to file. */
export function reportPage(reports: readonly Report[], untold: readonly Untold[], made: string): string {
  return page(
    `Holdfast, report of ${made.slice(0, 10)}`,
    STYLE,
    html`<main>
<h1>Identity records: what is kept</h1>
<p class="lead soft">Made by Holdfast on ${minute(made)}. People are shown as tokens. Without the lookup key, a token identifies no one.</p>
${reports.length > 1 ? html`<nav aria-label="Clients"><ul>${reports.map(({ client }) => html`<li><a href="#${client}">${client}</a></li>`)}</ul></nav>` : undefined}
${
  untold.length > 0
    ? html`<p class="verdict bad">Not in this report:</p>
<ul>${untold.map(({ client, why }) => html`<li>${client}: ${why}</li>`)}</ul>`
    : undefined
}
${reports.map(client)}
</main>`,
  );
}

function client(report: Report): Html {
  const { client: id, coverage, vault, checkpoint, horizon, holds, held } = report;
  const found = concerns(report);
  return html`<section class="client" id="${id}">
<h1>${id}</h1>
${verdict(found)}
${lastExport(report)}
<div class="figures">
${figure(number(coverage.vault.subjects), "people kept")}
${figure(number(coverage.vault.versions), "sealed versions")}
${figure(number(coverage.vault.files), "sealed files")}
${figure(bytes(coverage.vault.bytes), "as stored")}
${figure(number(held), held === 1 ? "legal hold" : "legal holds")}
</div>
${coverageView(report)}
${nightsView(report)}
<h2>What was stored</h2>
${bars({
  id: `${id}-growth`,
  title: "Bytes stored by month",
  labels: report.growth.map(({ month }) => month),
  series: [{ name: "Stored", colour: "accent", values: report.growth.map((of) => of.bytes) }],
  format: bytes,
})}
<h2>How long it is kept</h2>
${policyView(report)}
<h3>What falls due, by month</h3>
<p>${plural(horizon.open.objects, "object")} (${bytes(horizon.open.bytes)}) of people without a recorded end of the relationship have no date yet. An end is recorded for ${people(horizon.ended)}.${horizon.past.subjects > 0 ? ` ${people(horizon.past.subjects)} past the date: ${number(horizon.past.held)} kept by a legal hold, ${number(horizon.past.locked)} by a lock that lasts.` : ""}</p>
${bars({
  id: `${id}-due`,
  title: "Objects that fall due by month",
  labels: horizon.due.map(({ month }) => month),
  series: [{ name: "Objects", colour: "accent", values: horizon.due.map((of) => of.objects) }],
  format: number,
})}
<h3>When locks end</h3>
${locksView(horizon)}
${bars({
  id: `${id}-locks`,
  title: "Objects whose lock ends, by month",
  labels: horizon.locks.map(({ month }) => month),
  series: [{ name: "Objects", colour: "soft", values: horizon.locks.map((of) => of.objects) }],
  format: number,
})}
<h2>Legal holds</h2>
${
  holds.length === 0
    ? html`<p class="soft">No legal holds.</p>`
    : html`<div class="scroll"><table><thead><tr><th>Case, as a token</th><th>Since</th><th>Person</th></tr></thead><tbody>${holds.map(
        ({ case: token, placed, subject }) =>
          html`<tr><td><code>${token}</code></td><td class="day">${placed.slice(0, 10)}</td><td><code>${subject}</code></td></tr>`,
      )}</tbody></table></div>${held > holds.length ? html`<p class="soft">The first ${number(holds.length)} of ${number(held)}.</p>` : undefined}`
}
<h2>Proof</h2>
<dl class="facts">
<dt>Vault</dt><dd><code>${vault}</code></dd>
<dt>Audit log</dt><dd>${checkpoint.origin}, ${plural(checkpoint.size, "entry", "entries")}</dd>
<dt>Root hash</dt><dd><code>${checkpoint.root}</code></dd>
<dt>Last verified</dt><dd>${verifiedWords(report)}</dd>
</dl>
</section>
`;
}

/** What someone should look at; `isBad` where something unprotected or damaged is meant. */
interface Concern {
  readonly words: string;
  readonly isBad?: boolean;
}

function verdict(found: readonly Concern[]): Html {
  if (found.length === 0) return html`<p class="verdict good">Nothing needs attention.</p>`;
  const colour = found.some(({ isBad }) => isBad) ? "bad" : "unsure";
  return html`<p class="verdict ${colour}">Needs attention:</p>
<ul>${found.map(({ words, isBad }) => (isBad ? html`<li class="bad">${words}</li>` : html`<li>${words}</li>`))}</ul>`;
}

/** In the order in which it matters. */
function concerns(report: Report): Concern[] {
  const { coverage, nights, horizon, verified, notAsked, isPolicyLogged, made, underWay } = report;
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
      last !== undefined && last.outcome !== "done" && last.outcome !== "running",
      () => `The last export, on ${last!.day}, ${OUTCOMES[last!.outcome].words}.`,
    ),
    ...is(missing.count > 0, () => `${people(missing.count)} at the source, and not in the vault.`),
    ...is(changed.count > 0, () => `${people(changed.count)} changed at the source since they were exported.`),
    ...is(failed.count > 0, () => `${people(failed.count)} could not be exported when last tried.`),
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
        `${people(purgeable)} past the end of their retention period. Run \`holdfast retention purge\`: it lists them.`,
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
    ...is(notAsked !== null, () => `The source was not asked: ${notAsked}`),
    ...is(underWay.state === "unknown", () => underWayText(underWay)!),
  ];
}

function locksEndedText(count: number): string {
  return `${plural(count, "object")} that must be kept ${count === 1 ? "is" : "are"} no longer locked: the lock has ended. Run \`holdfast retention extend\`.`;
}

function locksView({ locksEnded, locksDue }: Report["horizon"]): Html {
  return html`${locksEnded > 0 ? html`<p class="bad">${locksEndedText(locksEnded)}</p>` : undefined}
<p>${locksDue > 0 ? `${plural(locksDue, "object")} ${locksDue === 1 ? "is" : "are"} locked, and due for a longer lock: the next export sets it.` : locksEnded === 0 ? "All locks are current." : ""} While a relationship lasts, locks are short and are extended every night.</p>`;
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
      : html`<p>Last export: ${minute(last.time)}, <span class="${colour}">it ${words}</span>.</p>`;
  const others = unwellText(last);
  return html`${at}${others === "" ? undefined : html`<p class="soft">${last.day}: ${others}.</p>`}${writing}`;
}

/** `1 of 7 runs failed`; empty where the day had one run, or each ended well. */
function unwellText({ runs, unwell }: Night): string {
  if (runs < 2) return "";
  const told = Object.entries(unwell) as [Night["outcome"], number][];
  return told
    .map(([outcome, count]) => `${number(count)} of ${number(runs)} runs ${OUTCOMES[outcome].words}`)
    .join("; ");
}

function coverageView({ coverage, notAsked }: Report): Html {
  const { source, missing, changed, failed, withheld, gone, past, purged, vault } = coverage;
  const rows: readonly (readonly [string, number, string])[] = [
    ["Listed by the source", source?.listed ?? Number.NaN, ""],
    ["Kept in the vault", vault.subjects, ""],
    ["Not in the vault", missing.count, missing.count > 0 ? "bad" : ""],
    ["Changed since", changed.count, changed.count > 0 ? "unsure" : ""],
    ["Failed when last tried", failed.count, failed.count > 0 ? "bad" : ""],
    ["With files that the provider withheld", withheld.count, withheld.count > 0 ? "unsure" : ""],
    ["Kept, and gone at the source", gone.count, ""],
    ["Listed, and past the end of their retention period", past.count, ""],
    ["Purged at the end of their retention", purged, ""],
  ];
  return html`<h2>Source against vault</h2>
${notAsked === null ? undefined : html`<p class="unsure">The source was not asked (${notAsked}); this is what the log says of the last export.</p>`}
<div class="scroll"><table><thead><tr><th>People</th><th class="number">Count</th></tr></thead><tbody>
${rows.map(([words, count, colour]) => html`<tr><td>${words}</td><td class="number ${colour}">${Number.isNaN(count) ? "not known" : number(count)}</td></tr>`)}
</tbody></table></div>
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
  return html`<h2>Night by night</h2>
${bars({
  id: `${id}-nights`,
  title: "Identities exported by night, and how the last run of each ended",
  labels: nights.map(({ day }) => day),
  series: [
    { name: "Exported", colour: "accent", values: nights.map(({ stored }) => stored) },
    { name: "Could not be exported", colour: "bad", values: nights.map(({ failed }) => failed) },
  ],
  format: number,
  marks: nights.map((night) => {
    const { mark, colour } = OUTCOMES[night.outcome];
    return { word: mark, colour, note: unwellText(night) };
  }),
})}
`;
}

function policyView({ policy, legalBasis, collect }: Report): Html {
  const classes = [
    ["identifying", "Identifying data"],
    ["verification", "Verification results"],
    ["files", "Document files"],
  ] as const;
  return html`<dl class="facts">
<dt>Rests on</dt><dd>${legalBasis.length > 0 ? legalBasis.join("; ") : "no rule is named in the configuration"}</dd>
<dt>Copies</dt><dd>${collect === "full" ? "full: data points, metadata, results, document files" : "minimal: yes and no answers only"}</dd>
${classes.map(([name, words]) => html`<dt>${words}</dt><dd>${clockInWords(policy[name] ?? "")}</dd>`)}
<dt>Locks</dt><dd>${policy.lock ?? ""} mode; ${durationText(policy.initialLock ?? "")} at first, set again with less than ${durationText(policy.extendWhenLessThan ?? "")} left</dd>
</dl>
`;
}

/** Of a verification, in days: a month and a day's grace. */
const LONG_AGO = 32;

function daysSince(time: string, now: string): number {
  return Math.floor(Temporal.Instant.from(now).since(Temporal.Instant.from(time)).total("days"));
}

function verifiedWords({ verified, made }: Report): Html | string {
  if (verified === null) return html`<span class="unsure">never on this machine</span>`;
  const days = daysSince(verified.time, made);
  const ago = days <= 0 ? "today" : `${plural(days, "day")} ago`;
  const found = verified.problems === 0 ? "nothing was wrong" : `${plural(verified.problems, "problem")} found`;
  return html`<span class="${verified.problems === 0 ? "good" : "bad"}">${minute(verified.time)} (${ago}): ${found}</span>, ${plural(verified.entries, "entry", "entries")} of the log, ${String(verified.readData)} % of the content read`;
}
