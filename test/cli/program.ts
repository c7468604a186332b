import { spawn } from "node:child_process";
import { join } from "node:path";

/**
 * What `npm test` built of the program to test it with (test/setup.ts), or another form of it: a JavaScript file, or an
 * executable. Without it, its source. A bundle loads in half the time, and is what people install.
 */
const { HOLDFAST_TEST_PROGRAM: file = join(import.meta.dirname, "../../jobs/main.ts") } = process.env;
/** Whether Node runs it, with the options that are given; an executable has Node inside. */
const isScript = /\.[jt]s$/.test(file);

/** The command line of `holdfast <args>`, the program first. */
export function commandLine(args: readonly string[], node: readonly string[] = []): [string, ...string[]] {
  return isScript ? [process.execPath, ...node, file, ...args] : [file, ...args];
}

// Most tests read the log as JSON lines, and all of them text without colour, which `node --test` asks for on a terminal.
process.env.HOLDFAST_LOG_FORMAT = "json";
delete process.env.FORCE_COLOR;

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node itself, before the program: `["--import", hook]`. */
  readonly node?: readonly string[];
  /** Standard input. Default: none. */
  readonly input?: string;
}

/** How a run of the real program ended. */
export interface Ended {
  /** Null when a signal killed it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed. Throws where stdout is not one JSON value. */
  readonly json: unknown;
  /** The lines on stderr that are JSON objects. */
  readonly log: readonly LogLine[];
}

export type LogLine = Readonly<Record<string, unknown>>;

/** A run of the real program that is under way. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the first log line, earlier ones included, of which this holds; rejects when the program ends. */
  logged(holds: (line: LogLine) => boolean): Promise<LogLine>;
}

/** Starts `holdfast <args>` as a child process. */
export function startProgram(args: readonly string[], { node = [], ...options }: ProgramOptions = {}): Running {
  const env = isScript || node.length === 0 ? options.env : { NODE_OPTIONS: node.join(" "), ...options.env };
  return startLine(commandLine(args, node), { ...options, ...(env && { env }) });
}

/** Runs any command line to its end: the program as it was installed, for example. */
export function runToEnd(line: readonly string[], options: Omit<ProgramOptions, "node"> = {}): Promise<Ended> {
  return startLine(line, options).ended;
}

/** Starts any command line. */
export function startLine(line: readonly string[], { cwd, env, input }: Omit<ProgramOptions, "node">): Running {
  const child = spawn(line[0]!, line.slice(1), {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // The program may end without reading it all.
  child.stdin?.on("error", () => {}).end(input);
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const look of watchers) look();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        ...{ code, signal, stdout, stderr, log: logLines(stderr) },
        get json() {
          return JSON.parse(stdout);
        },
      }),
    );
  });
  return {
    pid: child.pid!,
    ended,
    kill: (signal) => void child.kill(signal),
    logged: (holds) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = logLines(stderr).find(holds);
          if (line === undefined) return;
          watchers.delete(look);
          resolve(line);
        };
        watchers.add(look);
        look();
        void ended.then(({ code }) => reject(new Error(`it ended with ${code} and never logged that:\n${stderr}`)));
      }),
  };
}

/** Runs `holdfast <args>` to its end. */
export function program(args: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return startProgram(args, options).ended;
}

function logLines(text: string): LogLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as LogLine] : [];
    } catch {
      return []; // The rest of the line is still on its way.
    }
  });
}
