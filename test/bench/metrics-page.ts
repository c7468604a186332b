import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { Workplace } from "../export/workplace.ts";
import { type Ran, whileRunning } from "./process.ts";

export interface MetricsPage {
  /** The daemon from its start to its end. */
  readonly daemon: Ran;
  /** Processor seconds of one scrape. */
  readonly scrape: number;
}

/** Scrapes that are measured. */
const SCRAPES = 50;

/** What the daemon takes that has no run to begin, counts the locks that fall due, and is asked for its metrics. */
export async function metricsPage(place: Pick<Workplace, "file" | "path">): Promise<MetricsPage> {
  const config = parse(await readFile(place.file, "utf8")) as Record<string, unknown>;
  const own = place.path("daemon.yaml");
  const more = { schedule: { cron: "0 0 29 2 *" }, metrics: { listen: "127.0.0.1:0" } };
  await writeFile(own, stringify({ ...config, ...more }));
  let scrape = Number.NaN;
  const daemon = await whileRunning(["export --schedule", own], /metrics at (http:[^\s"]+)/, async ([, url]) => {
    const page = async (): Promise<string> => (await fetch(url!)).text();
    while (!/^holdfast_locks_due\{/m.test(await page())) await pause(100);
    const before = usedBy(await page());
    for (let n = 1; n < SCRAPES; n++) await page();
    scrape = (usedBy(await page()) - before) / SCRAPES;
  });
  return { daemon, scrape };
}

/** Processor seconds of the process so far, as its metrics have them. */
function usedBy(page: string): number {
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(page)![1]);
}
