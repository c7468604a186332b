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
  readonly series: readonly Series[];
  /** A number as people read it, with its unit. */
  readonly format: (value: number) => string;
  /** A word and a colour for each label, shown as a stripe below its bar, and what else there is to say of it. */
  readonly marks?: readonly { readonly word: string; readonly colour: string; readonly note?: string }[];
}

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 76;
const BOTTOM = 30;
const TOP = 12;
/** So many times what is usual is cut. */
const FAR = 8;
/** A bar of anything at all is seen. */
const LEAST = 2;

/** Stacked bars, and the same as a table for people who do not see them. Nothing is drawn of nothing. */
export function bars({ id, title, labels, series, format, marks }: Chart): Html {
  if (labels.length === 0) return html`<p class="soft">Nothing yet.</p>`;
  const totals = labels.map((_, at) => series.reduce((sum, { values }) => sum + values[at]!, 0));
  const top = topOf(totals);
  const plot = HEIGHT - BOTTOM - TOP;
  const step = (WIDTH - LEFT) / Math.max(labels.length, 8);
  const width = Math.max(1, Math.min(44, step * 0.72));
  const x = (at: number): number => LEFT + step * at + (step - width) / 2;
  const every = Math.ceil(labels.length / Math.min(12, Math.floor((WIDTH - LEFT) / 72)));
  return html`<figure>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title">
<title id="${id}-title">${title}</title>
${[0, 0.5, 1].map((part) => {
  const y = round(TOP + plot * (1 - part));
  return html`<line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}" stroke="var(--rule)"/><text x="${LEFT - 10}" y="${y + 4}" text-anchor="end" class="tick">${format(top * part)}</text>`;
})}
${labels.map((label, at) => column(label, at))}
</svg>
${series.length > 1 ? html`<p class="legend">${series.map(({ name, colour }) => html`<span><i class="fill-${colour}"></i>${name}</span>`)}${legend(marks)}</p>` : marks ? html`<p class="legend">${legend(marks)}</p>` : undefined}
<details><summary>As a table</summary><div class="scroll"><table>
<thead><tr><th></th>${series.map(({ name }) => html`<th class="number">${name}</th>`)}${marks ? html`<th>Outcome</th>` : undefined}</tr></thead>
<tbody>${labels.map((label, at) => html`<tr><td class="day">${label}</td>${series.map(({ values }) => html`<td class="number">${format(values[at]!)}</td>`)}${marks ? html`<td>${markText(marks[at]!)}</td>` : undefined}</tr>`)}</tbody>
</table></div></details>
</figure>`;

  function column(label: string, at: number): Html {
    let y = TOP + plot;
    const total = totals[at]!;
    const cut = total > top;
    const words = series.map(({ name, values }) => `${name} ${format(values[at]!)}`).join(", ");
    const rects = series.map(({ colour, values }) => {
      const value = values[at]!;
      if (value === 0) return undefined;
      const height = Math.max(LEAST, (value / (cut ? total : top)) * plot);
      y -= height;
      return html`<rect x="${round(x(at))}" y="${round(y)}" width="${round(width)}" height="${round(height)}" class="fill-${colour}"/>`;
    });
    const mark = marks?.[at];
    const isLast = x(at) + width + 64 > WIDTH;
    const beyond = html`<text x="${round(isLast ? x(at) - 4 : x(at) + width + 4)}" y="${TOP + 4}" text-anchor="${isLast ? "end" : "start"}" class="tick">↑ ${format(total)}</text>`;
    return html`<g><title>${label}: ${words}${mark ? `; ${markText(mark)}` : ""}</title>${rects}${cut ? beyond : undefined}${
      mark
        ? html`<rect x="${round(x(at))}" y="${TOP + plot + 3}" width="${round(width)}" height="5" class="fill-${mark.colour}"/>`
        : undefined
    }${at % every === 0 ? html`<text x="${round(Math.min(x(at) + width / 2, WIDTH - 34))}" y="${HEIGHT - 6}" text-anchor="middle" class="tick">${label}</text>` : undefined}</g>`;
  }
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
  return Math.round(value * 10) / 10;
}
