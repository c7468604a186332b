import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { bundledJobs } from "./bundled.ts";

export type Job =
  | { readonly kind: "export" | "extend" | "verify" }
  | { readonly kind: "end"; readonly subjects: readonly string[]; readonly date: string }
  | { readonly kind: "reopen"; readonly subjects: readonly string[] }
  | { readonly kind: "place" | "release"; readonly subjects: readonly string[]; readonly case: string }
  | { readonly kind: "purge"; readonly out: string }
  | { readonly kind: "certificate"; readonly folder: string; readonly vkey: string };

export interface Told {
  /** Seconds since 1970; undefined: the real time. */
  readonly at: number | undefined;
  readonly job: Job;
}

/** The job's result, or its error code. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: each job has its own result type
  readonly value?: any;
  readonly error?: string;
  readonly text?: string;
}

const HOOK = join(import.meta.dirname, "../../crash/hook.ts");
const QUICK = join(import.meta.dirname, "quick-disk.ts");

/** Runs the real jobs in a child process, which is killed at a given write and started again. */
export class Machine implements AsyncDisposable {
  kills = 0;
  readonly #config: string;
  readonly #quick: boolean;
  readonly #dieAt: () => number | undefined;
  #child: ChildProcess | undefined;

  /**
   * @param quick writes do not wait for the disk
   * @param dieAt for each process, the number of the write at which it dies; undefined: none
   */
  constructor(config: string, { quick, dieAt }: { quick: boolean; dieAt: () => number | undefined }) {
    this.#config = config;
    this.#quick = quick;
    this.#dieAt = dieAt;
  }

  /** Continues in a new process, which dies at the first write with that name. */
  async dieIn(name: string): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.#start(undefined, name);
  }

  async #start(dieAt = this.#dieAt(), name?: string): Promise<void> {
    this.#child = fork(await bundledJobs(), [this.#config], {
      execArgv: [...(this.#quick ? ["--import", QUICK] : []), "--import", HOOK],
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        HOLDFAST_CRASH_AT: dieAt === undefined ? undefined : String(dieAt),
        HOLDFAST_CRASH_BEFORE: name,
      },
    });
  }

  /** Undefined: it was killed on the way. */
  async run(told: Told): Promise<Answer | undefined> {
    if (this.#child === undefined) await this.#start();
    const child = this.#child!;
    const over = new AbortController();
    const ended = once(child, "exit", over).then(([code, signal]) => {
      if (signal !== "SIGKILL") throw new Error(`the machine ended with ${code ?? signal}`);
      return undefined;
    });
    const answered = once(child, "message", over).then(([answer]) => answer as Answer);
    child.send(told);
    const answer = await Promise.race([answered, ended]);
    over.abort();
    await Promise.allSettled([answered, ended]);
    if (answer === undefined) {
      this.kills += 1;
      this.#child = undefined;
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
