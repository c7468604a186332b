import { type Html, html } from "../page/html.ts";

export interface Series {
  readonly name: string;
  /** A colour of the page's style: `accent`, `good`, `unsure`, `bad`, `soft`. */
  readonly colour: string;
  /** One for each label. */
  readonly values: readonly number[];
}

export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly labels: readonly string[];
  /** What the page says where there are no labels. */
  readonly empty: string;
  /** A label as it is below the axis. */
  readonly short: (label: string) => string;
  readonly series: readonly Series[];
  /** A number as people read it, with its unit. */
  readonly format: (value: number) => string;
  /** A word and a colour for each label, shown as a stripe below its bar, and what else there is to say of it. */
  readonly marks?: readonly { readonly word: string; readonly colour: string; readonly note?: string }[];
}

/** Fewer say as much in a table. */
const LEAST_BARS = 3;
/** In percent of the height: where the bars end, and where the axis is. */
const TOP = 5;
const AXIS = 84;
/** A bar of any value can be seen. In percent of the height. */
const LEAST = 1;
/** So many times what is usual is cut. */
const FAR = 8;
/** Labels that fit below the axis of a wide chart, and of one on a phone. */
const WIDE = 8;
const NARROW = 5;

/** Stacked bars, and the same as a table for people who do not see them. */
export function bars(chart: Chart): Html {
  const { id, title, labels, series, format, marks } = chart;
  if (labels.length === 0) return html`<p class="soft">${chart.empty}</p>`;
  if (labels.length < LEAST_BARS) return html`<figure>${table(chart)}</figure>`;
  const totals = labels.map((_, at) => series.reduce((sum, { values }) => sum + values[at]!, 0));
  const top = topOf(totals);
  const step = 100 / Math.max(labels.length, 6);
  const width = step * (labels.length > 14 ? 0.72 : 0.4);
  const last = labels.length - 1;
  const every = Math.ceil(100 / WIDE / step);
  const everyNarrow = every * Math.ceil(100 / NARROW / (step * every));
  const lines = [0, 0.5, 1].map((part) => ({ part, y: round(AXIS - (AXIS - TOP) * part) }));
  return html`<figure>
<div class="chart">
<svg class="scale" aria-hidden="true">${lines.map(({ part, y }) => html`<text x="100%" y="${y}%" dy="4" text-anchor="end">${format(top * part)}</text>`)}</svg>
<svg role="img" aria-labelledby="${id}-title">
<title id="${id}-title">${title}</title>
${lines.map(({ y }) => html`<line x1="0" x2="100%" y1="${y}%" y2="${y}%" stroke="var(--rule)"/>`)}
${labels.map(column)}
</svg>
</div>
${series.length > 1 || marks ? html`<p class="legend">${series.map(({ name, colour }) => html`<span><i class="fill-${colour}"></i>${name}</span>`)}${legend(marks)}</p>` : undefined}
<details><summary>As a table</summary>${table(chart)}</details>
</figure>`;

  function column(label: string, at: number): Html {
    let y = AXIS;
    const x = step * at + (step - width) / 2;
    const total = totals[at]!;
    const cut = total > top;
    const words = series.map(({ name, values }) => `${name} ${format(values[at]!)}`).join(", ");
    const rects = series.map(({ colour, values }) => {
      const value = values[at]!;
      if (value === 0) return undefined;
      const height = Math.max(LEAST, (value / (cut ? total : top)) * (AXIS - TOP));
      y -= height;
      return html`<rect x="${round(x)}%" y="${round(y)}%" width="${round(width)}%" height="${round(height)}%" class="fill-${colour}"/>`;
    });
    const mark = marks?.[at];
    const isFarRight = x > 80;
    const beyond = html`<text x="${round(isFarRight ? x : x + width)}%" dx="${isFarRight ? -4 : 4}" y="${TOP}%" dy="10" text-anchor="${isFarRight ? "end" : "start"}">↑ ${format(total)}</text>`;
    const stripe =
      mark &&
      html`<rect x="${round(x)}%" y="${AXIS + 1}%" width="${round(width)}%" height="2.5%" class="fill-${mark.colour}"/>`;
    return html`<g><title>${label}: ${words}${mark ? `; ${markText(mark)}` : ""}</title>${rects}${cut ? beyond : undefined}${stripe}${named(label, at, x + width / 2)}</g>`;
  }

  /** Counted from the last one: the newest night always has its date. */
  function named(label: string, at: number, middle: number): Html | undefined {
    if ((last - at) % every !== 0) return undefined;
    const anchor = middle > 95 ? "end" : middle < 5 ? "start" : "middle";
    const x = anchor === "end" ? 100 : anchor === "start" ? 0 : round(middle);
    const often = (last - at) % everyNarrow === 0 ? undefined : html` class="often"`;
    return html`<text x="${x}%" y="97%" text-anchor="${anchor}"${often}>${chart.short(label)}</text>`;
  }
}

function table({ labels, series, format, marks }: Chart): Html {
  return html`<div class="scroll"><table>
<thead><tr><th></th>${series.map(({ name }) => html`<th class="number">${name}</th>`)}${marks ? html`<th>Outcome</th>` : undefined}</tr></thead>
<tbody>${labels.map((label, at) => html`<tr><td class="day">${label}</td>${series.map(({ values }) => html`<td class="number">${format(values[at]!)}</td>`)}${marks ? html`<td>${markText(marks[at]!)}</td>` : undefined}</tr>`)}</tbody>
</table></div>`;
}

function markText({ word, note = "" }: NonNullable<Chart["marks"]>[number]): string {
  return note === "" ? word : `${word}; ${note}`;
}

function legend(marks: Chart["marks"]): Html[] {
  const words = new Map((marks ?? []).map(({ word, colour }) => [word, colour]));
  return [...words].map(([word, colour]) => html`<span><i class="fill-${colour} stripe"></i>${word}</span>`);
}

/** A first export would flatten every night after it: what is far above the rest is cut, and its number is beside it. */
function topOf(totals: readonly number[]): number {
  const some = totals.filter((total) => total > 0).sort((a, b) => a - b);
  const usual = some[Math.floor(0.9 * (some.length - 1))] ?? 1;
  const most = some.at(-1) ?? 1;
  return nice(most > FAR * usual ? 2 * usual : most);
}

/** The next of 2, 4, 6, 10, 20, …: half of it is a whole number too. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 6, 10].map((digit) => digit * power).find((step) => step >= value)!;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A label for the axis: `2026-11-24` as `24 Nov`. */
export function dayAndMonth(day: string): string {
  return `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1]}`;
}

/** `2026-11` as `Nov 2026`. */
export function monthAndYear(month: string): string {
  return `${MONTHS[Number(month.slice(5)) - 1]} ${month.slice(0, 4)}`;
}
