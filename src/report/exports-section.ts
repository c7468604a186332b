import { bytes, minute, number } from "../observe/format.ts";
import { type Html, html } from "../page/html.ts";
import { bars, dayAndMonth, monthAndYear } from "./chart.ts";
import type { Night } from "./nights.ts";
import type { Report } from "./report.ts";
import { underWayText } from "./under-way.ts";

export const OUTCOMES: Readonly<Record<Night["outcome"], { words: string; mark: string; colour: string }>> = {
  done: { words: "succeeded", mark: "Run succeeded", colour: "good" },
  partial: { words: "left something undone", mark: "Something left undone", colour: "unsure" },
  interrupted: { words: "stopped when asked to", mark: "Run interrupted", colour: "unsure" },
  failed: { words: "failed", mark: "Run failed", colour: "bad" },
  unended: { words: "did not finish", mark: "Run did not finish", colour: "bad" },
  running: { words: "is under way", mark: "Run under way", colour: "soft" },
  none: { words: "did not run", mark: "No run", colour: "soft" },
};

/** What came of the last run; then what other runs of that day came to, which it made good or not. */
export function lastExport(report: Report): Html | undefined {
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

export function exportsSection({ client: id, nights }: Report): Html {
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

export function storedSection({ client: id, growth }: Report): Html {
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
