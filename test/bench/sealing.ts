import { child } from "./process.ts";
import type { Report } from "./report.ts";

/** Sealing by size, on one core. */
export async function sealing(report: Report, rounds: number): Promise<void> {
  const { stdout } = await child("seal.ts", String(rounds));
  for (const { name, by, perSecond } of JSON.parse(stdout) as { name: string; by: string; perSecond: number }[])
    report.add(`sealing ${name}, two recipients`, by, "seals/s", perSecond);
}
