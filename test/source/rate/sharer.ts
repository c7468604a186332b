/**
 * A process that shares limits, for tests: `node sharer.ts <file> <rate> high|low [<until>]`. It starts empty requests
 * as fast as it may, eight in flight, and writes the time of each start as a line; until the given time, or forever.
 * With `die` instead of the priority, it dies while it holds the lock.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseRate } from "../../../src/config/rate.ts";
import { begin, boundsOf } from "../../../src/source/rate/aimd.ts";
import { Limits } from "../../../src/source/rate/limits.ts";
import { SharedLimits } from "../../../src/source/rate/shared-limits.ts";
import { OwnStarts } from "../../../src/source/rate/starts.ts";
import { Throttle } from "../../../src/source/rate/throttle.ts";

const [path = "", rate = "", priority = "", until = ""] = process.argv.slice(2);
const store = new SharedLimits(path, (error) => process.stderr.write(`${error.message}\n`));
if (priority === "die") {
  store.change(
    () => begin(boundsOf(parseRate(rate)), Date.now()),
    () => process.kill(process.pid, "SIGKILL"),
  );
}
const throttle = new Throttle(
  new OwnStarts(new Limits(parseRate(rate), { store, priority: priority === "low" ? "low" : "high" })),
  8,
);
const end = until ? Number(until) : Number.POSITIVE_INFINITY;
const one = async (): Promise<void> => {
  while (Date.now() < end) {
    await throttle.run(async (answered) => {
      process.stdout.write(`${Date.now()}\n`);
      await delay(10);
      answered({ status: 200, headers: {} });
    });
  }
};
await Promise.all(Array.from({ length: 8 }, one));
throttle.close();
