import type { WriteStream } from "node:tty";
import { number, rate, seconds } from "./figures.ts";

/** How far a long piece of work has come. `total` is undefined while nobody knows it. */
export interface Progress {
  update(done: number, total?: number, note?: string): void;
  /** Removes the bar, so that what follows stands on a clean line. */
  end(): void;
}

export const noProgress: Progress = { update: () => {}, end: () => {} };

const REDRAW = 100;
const WIDTH = 24;

/** One line on a terminal, redrawn in place at most ten times a second. */
export function progressBar(label: string, out: WriteStream, now: () => number = Date.now): Progress {
  const begun = now();
  let drawn = 0;
  return {
    update(done, total, note) {
      const at = now();
      if (at - drawn < REDRAW && done !== total) return;
      drawn = at;
      const line = progressLine(label, done, total, (at - begun) / 1000, note);
      out.write(`\r\x1b[K${line.slice(0, (out.columns || 80) - 1)}`);
    },
    end() {
      if (drawn > 0) out.write("\r\x1b[K");
      drawn = 0;
    },
  };
}

export function progressLine(
  label: string,
  done: number,
  total: number | undefined,
  elapsed: number,
  note = "",
): string {
  const speed = rate(done, elapsed);
  const tail = note && `  ${note}`;
  if (total === undefined || total === 0) return `${label}  ${number(done)}  ${speed}  ${seconds(elapsed)}${tail}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * WIDTH);
  const left = done > 0 ? `  ${seconds((elapsed / done) * Math.max(0, total - done))} left` : "";
  const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
  return `${label}  ${bar} ${Math.floor(share * 100)} %  ${number(done)} of ${number(total)}  ${speed}${left}${tail}`;
}
