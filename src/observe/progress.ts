import type { WriteStream } from "node:tty";
import { printable } from "../core/printable.ts";
import { number, rate, seconds } from "./format.ts";

/** The total: counted, or estimated from an earlier run. Undefined while unknown. */
export type Total = number | { readonly about: number } | undefined;

/** Shows the progress of long work. */
export interface Progress extends Disposable {
  /** @param note asked for only when it is shown: most updates are not */
  update(done: number, total?: Total, note?: () => string): void;
  /** Removes the bar, so that further output starts on a clean line. `using` does it too. */
  end(): void;
}

export const noProgress: Progress = { update: () => {}, end: () => {}, [Symbol.dispose]: () => {} };

const REDRAW = 100;
const WIDTH = 24;
const NARROW = 6;

/**
 * One line on a terminal, redrawn in place at most ten times a second.
 * @param before the number done before it started, which does not count for its speed
 */
export function progressBar(label: string, out: WriteStream, before = 0, now: () => number = Date.now): Progress {
  const begun = now();
  let drawn = 0;
  const end = (): void => {
    if (drawn > 0) out.write("\r\x1b[K");
    drawn = 0;
  };
  return {
    update(done, total, note) {
      const at = now();
      if (at - drawn < REDRAW && done !== total) return;
      drawn = at;
      const columns = (out.columns || 80) - 1;
      const line = progressLine(label, { done, before, total, elapsed: (at - begun) / 1000, note: note?.(), columns });
      out.write(`\r\x1b[K${printable(line).slice(0, columns)}`);
    },
    end,
    [Symbol.dispose]: end,
  };
}

export interface Progressed {
  readonly done: number;
  /** The part of `done` from before the start. */
  readonly before?: number;
  readonly total: Total;
  /** Seconds. */
  readonly elapsed: number;
  readonly note?: string | undefined;
  /** The terminal's width. On a narrow one the bar shrinks and the words stay. */
  readonly columns?: number;
}

export function progressLine(
  label: string,
  { done, before = 0, total, elapsed, note, columns = 120 }: Progressed,
): string {
  const fresh = done - before;
  const speed = rate(fresh, elapsed);
  const tail = note ? `  ${note}` : "";
  const isGuess = typeof total === "object";
  const all = isGuess ? total.about : total;
  // An estimate that was reached is useless.
  if (!all || (isGuess && done >= all)) return `${label}  ${number(done)}  ${speed}  ${seconds(elapsed)} so far${tail}`;
  const about = isGuess ? "about " : "";
  const share = Math.min(1, done / all);
  const left = fresh > 0 ? `  ${about}${seconds((elapsed / fresh) * Math.max(0, all - done))} left` : "";
  const words = `${about}${Math.floor(share * 100)} %  ${number(done)} of ${about}${number(all)}  ${speed}${left}${tail}`;
  const width = Math.min(WIDTH, columns - `${label}   ${words}`.length);
  if (width < NARROW) return `${label}  ${words}`;
  const filled = Math.round(share * width);
  return `${label}  ${"█".repeat(filled)}${"░".repeat(width - filled)} ${words}`;
}
