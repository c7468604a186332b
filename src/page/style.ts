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
.tick { font: 12px var(--sans); fill: var(--soft); }
.fill-accent { fill: var(--accent); background: var(--accent); }
.fill-good { fill: var(--good); background: var(--good); }
.fill-unsure { fill: var(--unsure); background: var(--unsure); }
.fill-bad { fill: var(--bad); background: var(--bad); }
.fill-soft { fill: var(--soft); background: var(--soft); }
figure { margin: 1rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.88rem; color: var(--soft); max-width: none; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 2px; margin-right: 0.4rem; vertical-align: -0.05rem; }
.legend i, rect { print-color-adjust: exact; }
.legend i.stripe { height: 0.35rem; vertical-align: 0.15rem; }
details { font-size: 0.92rem; }
summary { cursor: pointer; color: var(--accent); }
nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; }
a { color: var(--accent); }
.client { border-top: 3px solid var(--ink); margin-top: 3.5rem; padding-top: 1.5rem; }
.client:first-of-type { margin-top: 2rem; }
.verdict { font-size: 1.1rem; margin: 0.8rem 0; max-width: none; }
svg { display: block; width: 100%; height: auto; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: 0.5rem; }
}
@media print {
  :root { color-scheme: light; }
  body { background: #fff; font-size: 10pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  details { display: none; }
  .figures { grid-template-columns: repeat(5, 1fr); gap: 0.5rem; }
  .figures div { padding: 0.5rem 0.6rem; }
  .figures b { font-size: 1.2rem; }
  .client { break-before: page; }
  .client:first-of-type { break-before: auto; }
  tr, .figures div, figure { break-inside: avoid; }
  .scroll { overflow: visible; }
}`;
