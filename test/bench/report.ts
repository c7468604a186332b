import { availableParallelism, cpus, totalmem } from "node:os";
import { number } from "../../src/observe/format.ts";

/** One measurement, with a value for each round. */
export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly rounds: number[];
}

/** A goal of a run, usually the ratio of two measurements. */
export interface Ratio {
  readonly name: string;
  readonly value: number;
  readonly reach: number;
  /** Whether the goal is a maximum instead of a minimum. */
  readonly most: boolean;
}

export interface Result {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly figures: readonly (Figure & { readonly median: number })[];
  readonly ratios: readonly (Ratio & { readonly reached: boolean })[];
  readonly failures: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly os: string;
  readonly node: string;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
};

/** Collects measurements. */
export class Report {
  readonly #figures: Figure[] = [];
  readonly #ratios: Ratio[] = [];
  readonly failures: string[] = [];

  add(group: string, name: string, unit: string, value: number): void {
    const before = this.#figures.find((one) => one.group === group && one.name === name);
    if (before) before.rounds.push(value);
    else this.#figures.push({ group, name, unit, rounds: [value] });
    process.stderr.write(`  ${group}: ${name}: ${show(value)} ${unit}\n`);
  }

  median(group: string, name: string): number | undefined {
    const figure = this.#figures.find((one) => one.group === group && one.name === name);
    return figure && median(figure.rounds);
  }

  /** The median ratio of two measurements, round by round: a disturbance of the machine affects both. */
  paired(group: string, name: string, other: string): number | undefined {
    const [one, two] = [name, other].map((wanted) => this.#figures.find((f) => f.group === group && f.name === wanted));
    return one && two && median(one.rounds.map((value, round) => value / two.rounds[round]!));
  }

  /** Missing measurements have no ratio. */
  ratio(name: string, value: number | undefined, reach: { least: number } | { most: number }): void {
    if (value === undefined || Number.isNaN(value)) return;
    const most = "most" in reach;
    this.#ratios.push({ name, value, reach: most ? reach.most : reach.least, most });
  }

  result(quick: boolean): Result {
    return {
      machine: machine(),
      quick,
      figures: this.#figures.map((figure) => ({ ...figure, median: median(figure.rounds) })),
      ratios: this.#ratios.map((ratio) => ({
        ...ratio,
        reached: ratio.most ? ratio.value <= ratio.reach : ratio.value >= ratio.reach,
      })),
      failures: this.failures,
    };
  }
}

function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    os: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** Three digits, or all digits of the integer part. */
export function show(value: number): string {
  return Math.abs(value) >= 100 ? number(value) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

export function table({ machine, figures, ratios, failures }: Result): string {
  const lines = [`${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Node ${machine.node}`];
  for (const [group, ones] of Map.groupBy(figures, (figure) => figure.group)) {
    lines.push("", group);
    for (const { name, unit, median, rounds } of ones) {
      const spread = rounds.length > 1 ? `   (${rounds.map(show).join(", ")})` : "";
      lines.push(`  ${name.padEnd(44)}${show(median).padStart(10)} ${unit}${spread}`);
    }
  }
  if (ratios.length > 0) lines.push("", "to be reached (of two figures: one to the other, round by round, the median)");
  for (const { name, value, reach, most, reached } of ratios) {
    const goal = `${most ? "at most" : "at least"} ${show(reach)}`;
    lines.push(`  ${name.padEnd(58)}${show(value).padStart(9)}   ${goal}${reached ? "" : "   MISSED"}`);
  }
  for (const failure of failures) lines.push("", `failed: ${failure}`);
  return `${lines.join("\n")}\n`;
}

/** A short version for docs/BENCHMARKS.md: the goals. */
export function markdown({ machine, ratios, quick }: Result): string {
  const rows = ratios.map(({ name, value, reach, most, reached }) => [
    name,
    reached ? show(value) : `**${show(value)}**`,
    `${most ? "at most" : "at least"} ${show(reach)}`,
  ]);
  const head = ["one to the other, the median of three rounds", "measured", "to be reached"];
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Node ${machine.node}; what was missed is bold.${quick ? " A quick look: one round, and smaller." : ""}`;
  return `${grid(head, rows)}\n\n${where}\n`;
}

/** Processor time for each object, and speed, of all contenders with the store of little cost. */
export function sideBySide({ figures }: Pick<Result, "figures">): string {
  const groups = [...Map.groupBy(figures, ({ group }) => group)].filter(([group]) =>
    /processor time|ms away/.test(group),
  );
  const names = [...new Set(groups.flatMap(([, ones]) => ones.map(({ name }) => name)))];
  const cell = (ones: Result["figures"], wanted: string): string => {
    const found = ones.find(({ name }) => name === wanted);
    return found ? show(found.median) : "";
  };
  const head = ["", ...groups.map(([group, ones]) => `${group}, ${ones[0]!.unit}`)];
  return `${grid(
    head,
    names.map((name) => [name, ...groups.map(([, ones]) => cell(ones, name))]),
  )}\n`;
}

/** A table of Markdown; its first column is of words, the others of figures. */
export function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join(" | ")} |`;
  const rule = widths.map((width, n) => (n === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [head, rule, ...rows].map(line).join("\n");
}
