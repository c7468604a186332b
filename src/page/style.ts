import { printable } from "../core/printable.ts";
/** The style of every page for people: that of viewer.html, without the parts that only the viewer needs. */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f5f1, #14171b);
  --card: light-dark(#fffefb, #1c2026);
  --ink: light-dark(#1a2330, #e8e6e0);
  --soft: light-dark(#545d69, #a9afb8);
  --rule: light-dark(#dedbd2, #343a43);
  --accent: light-dark(#1e4d6b, #8cc1e3);
  --good: light-dark(#17633a, #7fd3a0);
  --unsure: light-dark(#734d00, #e6be63);
  --bad: light-dark(#a01c1c, #ff9d93);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem / 1.55 var(--sans); }
main { max-width: 64rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
.eyebrow { font-size: 0.9rem; font-weight: 600; letter-spacing: 0.02em; color: var(--accent); margin: 0 0 0.6rem; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; margin: 0; }
h1 { font-size: 2.2rem; }
h2 { font-size: 1.4rem; margin: 2.6rem 0 0.8rem; padding-top: 1.2rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.4rem 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
.lead { font-size: 1.1rem; }
code, pre { font-family: var(--mono); font-size: 0.84em; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 0.8rem 1rem; white-space: pre-wrap; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; margin: 1rem 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.8rem; margin: 1.4rem 0; }
.figures div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 0.8rem 1rem; }
.figures b { display: block; font: 600 1.6rem / 1.2 var(--serif); font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: 0.9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.35rem 0.8rem 0.35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--soft); font-weight: 500; }
td.number, th.number { text-align: right; }
td.day, td.number { white-space: nowrap; }
.good { color: var(--good); }
.unsure { color: var(--unsure); }
.bad { color: var(--bad); }
.fill-accent { fill: var(--accent); background: var(--accent); }
.fill-good { fill: var(--good); background: var(--good); }
.fill-unsure { fill: var(--unsure); background: var(--unsure); }
.fill-bad { fill: var(--bad); background: var(--bad); }
.fill-soft { fill: var(--soft); background: var(--soft); }
figure { margin: 1rem 0; }
.chart { display: flex; gap: 0.7rem; }
.chart svg { flex: 1; min-width: 0; height: 13.75rem; overflow: visible; }
.chart svg.scale { flex: none; width: 3.6rem; }
.chart text { font: 0.75rem var(--sans); fill: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.88rem; color: var(--soft); max-width: none; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 2px; margin-right: 0.4rem; vertical-align: -0.05rem; }
.legend i, .chart rect { print-color-adjust: exact; }
.legend i.stripe { height: 0.35rem; vertical-align: 0.15rem; }
details { font-size: 0.92rem; }
summary { cursor: pointer; color: var(--accent); }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; }
a { color: var(--accent); }
.client { border-top: 3px solid var(--ink); margin-top: 3.5rem; padding-top: 1.5rem; }
.client.only { border: 0; margin-top: 0; padding-top: 0; }
.attention { border: 1px solid var(--rule); border-left: 4px solid var(--good); border-radius: 8px; background: var(--card); padding: 0.9rem 1.2rem; margin: 1.4rem 0; }
.attention.unsure { border-left-color: var(--unsure); color: inherit; }
.attention.bad { border-left-color: var(--bad); color: inherit; }
.attention.good { color: inherit; }
.attention ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
.signatures { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3rem; margin: 1.2rem 0; }
.signatures div { border-bottom: 1px solid var(--ink); padding-top: 2.6rem; font-size: 0.85rem; color: var(--soft); }
.signatures h3 { margin: 0; }
.objects { table-layout: fixed; }
.objects th:nth-child(2) { width: 6.5rem; }
.objects th:nth-child(3) { width: 5.5rem; }
.objects th:nth-child(4) { width: 5rem; }
.objects th:nth-child(5) { width: 42%; padding-left: 1rem; }
.objects td:nth-child(5) { padding-left: 1rem; }
.verdict { font-size: 1.1rem; margin: 0.8rem 0; max-width: none; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem; }
  h1 { font-size: 1.75rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: 0.5rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .chart svg.scale { width: 2.9rem; }
  .often { display: none; }
  .signatures { grid-template-columns: 1fr; gap: 1.6rem; }
  /* A row is a card: each value has its column's name before it. */
  .cards thead { display: none; }
  .cards, .cards tbody, .cards tr, .cards td { display: block; }
  .cards tr { border-bottom: 1px solid var(--rule); padding: 0.6rem 0; }
  .cards td, .cards td.number { border: 0; padding: 0.1rem 0; text-align: left; display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 0.6rem; }
  .objects td:nth-child(5) { padding-left: 0; }
  .cards td::before { content: attr(data-of); color: var(--soft); }
}
@media print {
  :root { color-scheme: only light; }
  html { font-size: 9.5pt; }
  body { background: none; }
  main { max-width: none; padding: 0; }
  details, .screen { display: none; }
  p { max-width: none; orphans: 3; widows: 3; }
  h1 { font-size: 20pt; }
  h2 { margin-top: 7mm; padding-top: 3.5mm; font-size: 13pt; }
  h1, h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, .figures, figure, .together, .attention, .signatures, dl.facts { break-inside: avoid; }
  .figures { grid-template-columns: repeat(5, 1fr); gap: 0.5rem; }
  .figures div { padding: 0.4rem 0.6rem; background: none; }
  .figures b { font-size: 1.25rem; }
  .attention, pre { background: none; }
  .chart svg { height: 42mm; }
  .client { break-before: page; margin-top: 0; border-top: 0; padding-top: 0; }
  .client.first { break-before: auto; }
  .scroll { overflow: visible; }
  th, td { padding-top: 0.2rem; padding-bottom: 0.2rem; }
  .objects { font-size: 0.8rem; }
  .person > p { break-after: avoid; }
}`;

/**
 * A4 with a footer: what the page is, and its number. In print only; browsers without margin boxes leave it out and
 * print a header of their own.
 * @param name of a CSS page, where parts of one document have footers of their own
 */
export function paper(footer: string, name = ""): string {
  return `@page ${name} {
  size: A4;
  margin: 18mm 17mm 20mm;
  @bottom-left { content: ${quoted(footer)}; font: 8pt sans-serif; color: #545d69; vertical-align: top; padding-top: 5mm; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt sans-serif; color: #545d69; vertical-align: top; padding-top: 5mm; }
}`;
}

/** A string of CSS. Whatever is not a letter, a digit or a space is written as its number: it can end nothing. */
function quoted(text: string): string {
  const chars = [...printable(text)].map((char) =>
    /[A-Za-z0-9 ]/.test(char) ? char : `\\${char.codePointAt(0)!.toString(16)} `,
  );
  return `"${chars.join("")}"`;
}
