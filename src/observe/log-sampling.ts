import type { Fields, Log } from "./log.ts";

/** How many lines of one kind are written in full; after that, one in a hundred. */
const FIRST = 20;
const EVERY = 100;

export interface Sampled extends Log {
  /** Logs the total for every kind of which lines were left out. */
  summarize(): void;
}

/**
 * Keeps floods out of the log: of warnings and errors with the same message and code, it writes the first ones, then one
 * in a hundred with the `count` so far. Lines left out are in the audit log, and the end of the run logs their number.
 */
export function sampled(log: Log): Sampled {
  const seen = new Map<string, { count: number; write: Log["error"]; message: string; fields: Fields }>();
  const sample =
    (write: Log["error"]): Log["error"] =>
    (message, fields = {}) => {
      const { code, stage } = fields;
      const kind = JSON.stringify([message, code]);
      const of = seen.get(kind) ?? {
        count: 0,
        write,
        message,
        fields: { ...(code && { code }), ...(stage && { stage }) },
      };
      seen.set(kind, of);
      of.count += 1;
      if (of.count <= FIRST) write(message, fields);
      else if (of.count % EVERY === 0) write(message, { ...fields, count: of.count });
    };
  return {
    debug: log.debug,
    info: log.info,
    warn: sample(log.warn),
    error: sample(log.error),
    with: log.with,
    summarize() {
      for (const { count, write, message, fields } of seen.values())
        if (count > FIRST) write(`${message}: total number`, { ...fields, count });
      seen.clear();
    },
  };
}
