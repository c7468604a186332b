import type { Command } from "commander";
import { exportClients, exportCommand } from "../../jobs/export.ts";
import { init, initCommand } from "../../jobs/init.ts";
import { refuseProblems, verify, verifyCommand } from "../../jobs/verify.ts";
import { tellClients } from "../../src/cli/clients.ts";
import { loadConfig, selectClients } from "../../src/config/load.ts";
import { systemClock } from "../../src/core/clock.ts";
import { exitCode } from "../../src/core/exit-code.ts";
import { skewOfServer } from "../../src/doctor/clock.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import type { Session } from "../../src/session/client.ts";
import type { ClientFailure } from "../../src/session/each-client.ts";
import { refuseUnfinished } from "../../src/session/export-summary.ts";

export const silentConsole: Console = {
  log: silentLog,
  progress: () => noProgress,
  say: () => {},
  result: () => {},
  error: () => {},
};

interface Job {
  readonly command: Command;
  /** `flags` are as the command's own definition reads them. */
  work(session: Session, flags: Flags, onFailure: (failure: ClientFailure) => void): Promise<unknown[]>;
  readonly refuse?: (results: readonly never[]) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: each command has its own.
type Flags = any;

const JOBS: Readonly<Record<string, Job>> = {
  init: { command: initCommand, work: (session, _flags, onFailure) => init(session, onFailure) },
  export: {
    command: exportCommand,
    work: (session, flags, onFailure) =>
      exportClients(session, { ...flags, identities: flags.identity, subjects: flags.subject }, onFailure),
    refuse: refuseUnfinished,
  },
  verify: {
    command: verifyCommand,
    work: (session, flags, onFailure) =>
      verify(session, { ...flags, readData: flags.readData ?? (flags.key === undefined ? 0 : 100) }, onFailure),
    refuse: refuseProblems,
  },
};

/** How a command ended that was run in the test's own process. */
export interface EndedHere {
  readonly code: number;
  /** What `--json` would have printed. */
  readonly json: unknown;
  /** What it threw. */
  readonly error: unknown;
}

export const runsHere = (command: string): boolean => Object.hasOwn(JOBS, command);

/**
 * Runs `init`, `export` or `verify` in the test's own process: what prepares and looks at a vault in hundreds of places.
 * A child takes longer to load the program than to do any of it. What a process is to whoever starts it (exit code,
 * output, signals) is tested with real ones.
 */
export async function runHere(file: string, command: string, args: readonly string[]): Promise<EndedHere> {
  const job = JOBS[command]!;
  let flags: Flags;
  await job.command.action((...given) => (flags = given.at(-2))).parseAsync([...args], { from: "user" });
  const config = await loadConfig(file);
  let json: unknown;
  const session: Session = {
    clients: selectClients(config, flags.client),
    console: { ...silentConsole, result: (value) => (json ??= JSON.parse(JSON.stringify(value))) },
    signal: new AbortController().signal,
    now: systemClock,
    skewOf: (url) => skewOfServer(url, systemClock, 5_000),
    pushgateway: config.metrics.pushgateway,
  };
  try {
    const refuse = job.refuse as ((results: readonly unknown[]) => void) | undefined;
    const work = (onFailure: (failure: ClientFailure) => void) => job.work(session, flags, onFailure);
    await tellClients(session, command, work, refuse ? { refuse } : {});
    return { code: 0, json, error: undefined };
  } catch (error) {
    return { code: exitCode(error), json, error };
  }
}
