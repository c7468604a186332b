import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, systemClock } from "../core/clock.ts";

/** The environment a command runs in: the process, or a test that runs many commands in one process. */
export interface Host {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly now: Clock;
  /** Calls `listener` on SIGINT and SIGTERM. */
  onSignal(listener: () => void): void;
  /** Sets the exit code. */
  endsWith(code: number): void;
}

const PROCESS: Host = {
  stdout: process.stdout,
  stderr: process.stderr,
  now: systemClock,
  onSignal: (listener) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, listener);
  },
  endsWith: (code) => {
    process.exitCode = code;
  },
};

const another = new AsyncLocalStorage<Host>();

export const hostHere = (): Host => another.getStore() ?? PROCESS;

/** Runs `work`, and everything it calls, in this host. */
export const runIn = <T>(host: Host, work: () => Promise<T>): Promise<T> => another.run(host, work);
