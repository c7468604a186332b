import type { Fields } from "./log.ts";
import { type Progress, progressLine, type Total } from "./progress.ts";

/** From line to line, in ms: at first, and as a part of the time so far. A day has some 60 lines. */
const PAUSE = 30_000;
const PART = 0.1;

/**
 * The progress of long work where there is no terminal: a log line now and then, from the first `update` on.
 * @param before the number done before it started, which does not count for its speed
 */
export function progressLog(label: string, tell: (line: string, fields: Fields) => void, before = 0): Progress {
  const begun = Date.now();
  let now: { done: number; total: Total; note: (() => string) | undefined } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(
      () => {
        const durationMs = Date.now() - begun;
        const { done, total, note } = now!;
        const line = progressLine(label, {
          done,
          before,
          total,
          elapsed: durationMs / 1000,
          note: note?.(),
          columns: 0,
        });
        tell(line.replaceAll("  ", ", "), { count: done, ...(typeof total === "number" ? { total } : {}), durationMs });
        wait();
      },
      Math.max(PAUSE, (Date.now() - begun) * PART),
    );
    timer.unref();
  };
  const end = (): void => clearTimeout(timer);
  return {
    update(done, total, note) {
      now = { done, total, note };
      if (timer === undefined) wait();
    },
    end,
    [Symbol.dispose]: end,
  };
}
