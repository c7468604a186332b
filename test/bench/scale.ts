/**
 * What a vault of many people costs: `node test/bench/scale.ts --people 100000 --people 1000000`. Makes the log of such a
 * vault and the objects of one person in a thousand, then runs the real program on it, one command after the other. Prints
 * a column for each size, and how many times as much the last one takes as the first. Processor seconds are the program's
 * own: store and provider are a directory and another process.
 */
import { parseArgs } from "node:util";
import { bytes, number } from "../../src/observe/format.ts";
import { startSandbox } from "../sandbox/server.ts";
import { grid } from "./report.ts";
import { type Figure, ROWS } from "./scale-rows.ts";
import { makeScaleVault } from "./scale-vault.ts";

const { values } = parseArgs({ options: { people: { type: "string", multiple: true, default: ["10000", "100000"] } } });

async function measure(people: number): Promise<Map<string, Figure>> {
  await using sandbox = await startSandbox({ identities: people, pageSize: 500, files: false });
  const due = Temporal.Now.instant().add({ hours: 72 }).toString({ smallestUnit: "second" });
  await using vault = await makeScaleVault(people, { ...sandbox, due });
  const scene = { place: vault.place, people, change: (which: readonly number[]) => void sandbox.change(which) };
  const figures = new Map<string, Figure>();
  for (const [name, row] of Object.entries(ROWS)) {
    figures.set(name, await row(scene));
    process.stderr.write(`  ${name}: ${cell(figures.get(name)!)}\n`);
  }
  return figures;
}

function cell({ size, cpu = 0, peak = 0 }: Figure): string {
  if (size !== undefined) return bytes(size);
  return `${cpu < 0.1 ? `${(cpu * 1000).toFixed(1)} ms` : `${cpu.toFixed(1)} s`}, ${bytes(peak)}`;
}

const columns: (readonly [people: string, figures: Map<string, Figure>])[] = [];
for (const size of values.people) {
  process.stderr.write(`${number(Number(size))} people\n`);
  columns.push([`${number(Number(size))} people`, await measure(Number(size))]);
}
const rows = Object.keys(ROWS).map((name) => {
  const figures = columns.map(([, of]) => of.get(name)!);
  const [first, last] = [figures[0]!, figures.at(-1)!].map(({ size, cpu }) => size ?? cpu!);
  return [name, ...figures.map(cell), (last! / first!).toFixed(1)];
});
process.stdout.write(`${grid(["", ...columns.map(([people]) => people), "times"], rows)}\n`);
