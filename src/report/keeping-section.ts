import { bytes, number, plural, verifications } from "../observe/format.ts";
import { type Html, html } from "../page/html.ts";
import { bars, monthAndYear } from "./chart.ts";
import { clockInWords, durationText } from "./policy-text.ts";
import type { Report } from "./report.ts";

/** How long records are kept, and when retention and locks end. */
export function keepingSection(report: Report): Html {
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

export function locksEndedText(count: number): string {
  return `${plural(count, "object")} that must be kept ${count === 1 ? "is" : "are"} no longer locked: the lock has ended. Run \`holdfast retention extend\`.`;
}

function locksView({ locksEnded, locksDue }: Report["horizon"]): Html {
  return html`${locksEnded > 0 ? html`<p class="bad">${locksEndedText(locksEnded)}</p>` : undefined}
<p>${locksDue > 0 ? `${plural(locksDue, "object")} ${locksDue === 1 ? "is" : "are"} locked, and due for a longer lock: the next export sets it.` : locksEnded === 0 ? "All locks are current." : ""} A lock keeps an object from being deleted or replaced in the store. While a relationship lasts, locks are short, and each export renews those about to end.</p>`;
}
