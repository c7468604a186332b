import pino, { type DestinationStream, type Logger } from "pino";
import { firstThrown, HoldfastError } from "../core/error.ts";
import { printableJson } from "../core/printable.ts";

/**
 * Every field a log line may have. This is an allow-list, because a deny-list can miss one: fields not listed here are
 * dropped, and nothing listed here is personal (subjects and keys are keyed hashes).
 */
export interface Fields {
  readonly run?: string;
  readonly job?: string;
  readonly client?: string;
  /** The name of a source in the config. */
  readonly source?: string;
  readonly subject?: string;
  readonly version?: string;
  readonly key?: string;
  readonly stage?: string;
  readonly outcome?: string;
  readonly code?: string;
  /** An error's message and hint, which `HoldfastError` keeps free of data. */
  readonly error?: string;
  readonly hint?: string;
  readonly stack?: string;
  readonly durationMs?: number;
  readonly count?: number;
  readonly total?: number;
  readonly url?: string;
  readonly counts?: Readonly<Record<string, number>>;
  /** When a run was or is due, RFC 3339 UTC. */
  readonly due?: string;
  /** Further lines of a text for people; the first is the message. */
  readonly lines?: readonly string[];
}

export const FIELDS: readonly (keyof Fields)[] = [
  ...([
    "run",
    "job",
    "client",
    "source",
    "subject",
    "version",
    "key",
    "stage",
    "outcome",
    "code",
    "error",
    "hint",
  ] as const),
  ...(["stack", "durationMs", "count", "total", "url", "counts", "due", "lines"] as const),
];

/**
 * error: a record or a run failed, and someone must look. warn: it continued, but something is wrong. info: the
 * life cycle of runs. debug: every record.
 */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with these fields added to every line. */
  with(fields: Fields): Log;
}

/** stderr. Lines that cannot be written (a full disk, a closed pipe) are dropped. */
function standardError(): DestinationStream {
  const destination = pino.destination({ fd: 2, sync: true });
  destination.on("error", () => {});
  return destination;
}

/** JSON lines, by default to stderr, without control characters. `message` must be a constant: data go into fields. */
export function jsonLog(level: LogLevel, destination: DestinationStream = standardError()): Log {
  return wrap(
    pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line: string) => destination.write(printableJson(line)) },
    ),
  );
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(allowed(fields), message),
    info: (message, fields) => logger.info(allowed(fields), message),
    warn: (message, fields) => logger.warn(allowed(fields), message),
    error: (message, fields) => logger.error(allowed(fields), message),
    with: (fields) => wrap(logger.child(allowed(fields))),
  };
}

function allowed(fields: Fields = {}): Record<string, unknown> {
  return Object.fromEntries(FIELDS.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
}

/** An error as fields. For errors of libraries only the kind and place, because their messages may contain data. */
export function errorFields(thrown: unknown): Fields {
  const error = firstThrown(thrown);
  const denied = deniedByNode(error);
  if (error instanceof HoldfastError) {
    const hint = denied ?? error.hint;
    return { code: error.code, error: error.message, ...(hint ? { hint } : {}) };
  }
  if (denied !== undefined) return { code: "internal", error: "blocked by Node's permission model", hint: denied };
  const { name = "unknown", stack = "" } = error instanceof Error ? error : {};
  return {
    code: "internal",
    error: name,
    stack: stack
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n"),
  };
}

/** How to fix what Node's permission model (`--permission`) refused, found anywhere in the chain of causes. */
function deniedByNode(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, permission, resource } = each as { code?: string; permission?: string; resource?: string };
    if (code !== "ERR_ACCESS_DENIED" || permission === undefined) continue;
    if (!permission.startsWith("FileSystem") || !resource)
      return `Node runs with --permission but without ${permission}.`;
    const flag = permission === "FileSystemRead" ? "--allow-fs-read" : "--allow-fs-write";
    return `Node runs with --permission but without access to ${resource}. Use a path in an allowed folder, or allow another with NODE_OPTIONS=${flag}=<folder>.`;
  }
  return undefined;
}
