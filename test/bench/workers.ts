/**
 * A backfill on 1, 2 and 4 workers, all on this machine with the provider, Redis and the vault:
 *
 *     node test/bench/workers.ts [--identities 20000] [--rate 200] [--workers 1,2,4]
 *
 * First at a fixed rate, which the sandbox enforces: how well all workers together keep to it, and how close the total
 * time comes to the minimum. Then without a limit: how much faster it is with a second worker, and without workers (0:
 * a single process).
 */
import { parseArgs } from "node:util";
import type { Summary } from "../../src/export/summary.ts";
import { startSandbox } from "../sandbox/server.ts";
import { Team } from "../workers/team.ts";

const { values } = parseArgs({
  options: {
    identities: { type: "string", default: "20000" },
    rate: { type: "string", default: "200" },
    workers: { type: "string", default: "1,2,4" },
  },
});
const people = Number(values.identities);
const rate = Number(values.rate);
const numbers = values.workers.split(",").map(Number);

interface Measured {
  readonly summary: Summary;
  readonly requests: number;
  readonly refused: number;
  /** From the coordinator's start to its end, and from the first request to the last. */
  readonly wall: number;
  readonly span: number;
  /** Requests in the busiest second and in the busiest ten. */
  readonly second: number;
  readonly ten: number;
}

async function measure(
  workers: number,
  limit: number | undefined,
  identities: number,
  files: boolean,
): Promise<Measured> {
  await using sandbox = await startSandbox({ identities, files, plainImages: true, ...(limit ? { rate: limit } : {}) });
  await using team = await Team.make(sandbox, { client: { source: { rate: `${limit ?? 10_000}/s` } } });
  const times: number[] = [];
  sandbox.intercept(() => {
    times.push(performance.now());
    return false;
  });
  for (let worker = 0; worker < workers; worker++) team.work();
  const begun = performance.now();
  const summary = await team.summary(workers > 0 ? team.coordinate() : team.place.start("backfill", ["--json"]));
  const wall = (performance.now() - begun) / 1000;
  if (summary.new !== identities) throw new Error(`${summary.new} of ${identities}`);
  return {
    ...{ summary, wall, requests: sandbox.requests.total, refused: sandbox.requests.of(undefined, 429) },
    ...{ span: (times.at(-1)! - times[0]!) / 1000, second: fullest(times, 1_000), ten: fullest(times, 10_000) },
  };
}

function fullest(times: readonly number[], ms: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function line(...columns: readonly (string | number)[]): void {
  process.stdout.write(`${columns.map((column) => String(column).padStart(13)).join("")}\n`);
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

process.stdout.write(`${people} identities at ${rate} requests a second\n`);
line("workers", "requests", "refused", "wall s", "floor s", "of floor", "mean of rate", "worst 10 s", "worst 1 s");
for (const workers of numbers) {
  const { requests, refused, wall, span, second, ten } = await measure(workers, rate, people, false);
  const floor = requests / rate;
  line(
    ...[workers, requests, refused, wall.toFixed(1), floor.toFixed(1), percent(wall / floor)],
    ...[percent(requests / span / rate), percent(ten / 10 / rate), percent(second / rate)],
  );
}

const some = Math.round(people / 10);
process.stdout.write(`\n${some} identities with their files, no limit\n`);
line("workers", "wall s", "identities/s", "MB/s");
for (const workers of numbers) {
  const { wall, summary } = await measure(workers, undefined, some, true);
  line(workers, wall.toFixed(1), (some / wall).toFixed(1), (summary.bytes / 1e6 / wall).toFixed(1));
}
