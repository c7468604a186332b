/**
 * A process that shares limits, for tests: `node sharer.ts <file> <rate> high|low [<until>]`. It starts empty requests
 * as fast as it may, eight in flight, and writes a line for each start: the time, and by how many ms this process was late
 * since the line before, because the machine was busy; until the given time, or forever.
 * With `die` instead of the priority, it dies while it holds the lock.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
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
const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();
const end = until ? Number(until) : Number.POSITIVE_INFINITY;
const one = async (): Promise<void> => {
  while (Date.now() < end) {
    await throttle.run(async (answered) => {
      process.stdout.write(`${Date.now()} ${Math.ceil(delays.max / 1e6)}\n`);
      delays.reset();
      await delay(10);
      answered({ status: 200, headers: {} });
    });
  }
};
await Promise.all(Array.from({ length: 8 }, one));
throttle.close();
