import { median, type Result, show } from "./report.ts";

const WIDTH = 760;
const LABEL = 250;
const BAR = 400;
const ROW = 24;
const COLOURS = `
  text { font: 13px system-ui, sans-serif; fill: #1f2933 }
  .soft { fill: #52606d } .head { font-weight: 600 }
  .bar { fill: #9aa5b1 } .ours { fill: #1c7c6d } .mark { stroke: #52606d }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .soft { fill: #b0bac5 } .bar { fill: #616e7c } .ours { fill: #3fb8a3 } .mark { stroke: #b0bac5 }
  }`;

/**
 * A bar for each contender, with marks from the slowest to the fastest round; readable on light and dark backgrounds.
 */
export function chart({ machine, figures }: Result): string {
  const groups = [...Map.groupBy(figures, ({ group }) => group)].filter(([group]) =>
    /^(export|sealing|processor)/.test(group),
  );
  const parts: string[] = [];
  let y = 24;
  const text = (x: number, of: string, kind = "", anchor = "start") =>
    parts.push(`<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escaped(of)}</text>`);
  for (const [group, ones] of groups) {
    const most = Math.max(...ones.flatMap(({ rounds }) => rounds));
    text(0, `${group}, ${ones[0]!.unit}${group.startsWith("processor") ? " (less is better)" : ""}`, "head");
    y += ROW;
    for (const { name, rounds } of ones) {
      const length = (value: number) => Math.max(1, (value / most) * BAR);
      const [low, high] = [Math.min(...rounds), Math.max(...rounds)].map((value) => LABEL + length(value));
      text(LABEL - 10, name, "soft", "end");
      const kind = name.startsWith("Holdfast") ? "ours" : "bar";
      parts.push(
        `<rect x="${LABEL}" y="${y - 13}" width="${length(median(rounds))}" height="17" rx="2" class="${kind}"/>`,
      );
      parts.push(`<line x1="${low}" x2="${high}" y1="${y - 4.5}" y2="${y - 4.5}" class="mark"/>`);
      text(LABEL + length(Math.max(median(rounds), ...rounds)) + 8, show(median(rounds)));
      y += ROW;
    }
    y += ROW / 2;
  }
  text(
    0,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Node ${machine.node}; everything on this one machine`,
    "soft",
  );
  const size = `width="${WIDTH}" height="${y + 12}" viewBox="0 0 ${WIDTH} ${y + 12}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img"><title>Holdfast and others, measured</title><style>${COLOURS}
</style>
${parts.join("\n")}
</svg>
`;
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
