import cron from "node-cron";
import type { ScheduleConfig } from "../src/config/config.ts";
import { errorFields } from "../src/observe/log.ts";
import type { Session } from "./client.ts";

/**
 * Runs `work` as the cron line says, in its time zone, until the signal. A run that is still under way when the next
 * one is due is not overtaken: that one is left out and said so. A failed run does not end the daemon; the next is
 * another chance. Resolves after the run under way has come to its end.
 */
export async function runOnSchedule(
  schedule: ScheduleConfig,
  { console, signal }: Session,
  work: () => Promise<unknown>,
): Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  const task = cron.schedule(
    schedule.cron,
    async () => {
      running = work().catch((error: unknown) => console.log.error("scheduled run failed", errorFields(error)));
      await running;
      announce();
    },
    { timezone: schedule.timezone, noOverlap: true, name: "export" },
  );
  task.on("execution:overlap", () => console.log.warn("a run is still under way: this one is left out"));
  task.on("execution:missed", () => console.log.warn("a scheduled run was missed: the machine slept or was too busy"));
  const announce = (): void => {
    const next = task.getNextRun();
    if (!signal.aborted && next) console.say(`next run ${next.toISOString()} (${schedule.cron}, ${schedule.timezone})`);
  };
  announce();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await task.stop();
  await running;
}
