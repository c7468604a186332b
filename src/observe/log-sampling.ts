import type { Fields, Log } from "./log.ts";

/** Lines of one kind that are written, and of those beyond them one in so many. */
const FIRST = 20;
const EVERY = 100;

export interface Sampled extends Log {
  /** Says of every kind how many lines there were, where not all were written. */
  summarize(): void;
}

/**
 * A log that a flood does not fill: of warnings and errors with the same words and code the first are written, then one
 * in a hundred, with the `count` so far. What is left out is in the audit log all the same, and is counted at the end.
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
        if (count > FIRST) write(`${message}: this often in all`, { ...fields, count });
      seen.clear();
    },
  };
}
