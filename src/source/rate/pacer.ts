import { HoldfastError } from "../../core/error.ts";
import type { Wait } from "./claim.ts";
import type { Limits } from "./limits.ts";
import type { Start } from "./starts.ts";

interface Waiting {
  readonly since: number;
  readonly resolve: (start: Start) => void;
  readonly reject: (error: HoldfastError) => void;
  waited: boolean;
}

/** Once interrupted, nobody waits longer for a start, in ms. */
const PATIENCE = 1_000;

/** A wait this long, in ms, is told: without a word the process would seem to hang. */
const LONG = 60_000;

/** @param until in ms since 1970. @param why whose word it is that makes it so long */
export type OnWait = (until: number, why: string) => void;

/** The line of those who are ready to start; they start in order, as the limits grant it. */
export class Pacer {
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  #line: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #onWait: OnWait;
  /** The end of the wait that was told last. */
  #told = 0;

  constructor(limits: Limits, signal?: AbortSignal, onWait: OnWait = () => {}) {
    this.#onWait = onWait;
    this.#limits = limits;
    this.#signal = signal;
    signal?.addEventListener("abort", this.serve);
  }

  /** Throws `interrupted` when closed, or aborted in a silence or a long wait. */
  start(): Promise<Start> {
    const { promise, resolve, reject } = Promise.withResolvers<Start>();
    this.#line.push({ since: this.#limits.now(), resolve, reject, waited: this.#line.length > 0 });
    if (this.#line.length === 1) this.serve();
    return promise;
  }

  /** Looks anew whether somebody may start. */
  readonly serve = (): void => {
    clearTimeout(this.#timer);
    for (let head = this.#line[0]; head; head = this.#line[0]) {
      const wait = this.#closed ? undefined : this.#limits.claim(head.since);
      if (this.#closed || (wait && this.#isTooLong(wait))) {
        this.#refuse();
      } else if (wait) {
        head.waited = true;
        this.#tell(wait);
        this.#timer = setTimeout(this.serve, Math.ceil(wait.ms));
        break;
      } else {
        this.#line.shift();
        head.resolve({ at: this.#limits.now(), waited: head.waited });
      }
    }
  };

  close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.serve);
    this.serve();
  }

  #tell({ ms }: Wait): void {
    const until = this.#limits.now() + ms;
    if (ms <= LONG || until <= this.#told + LONG) return;
    this.#told = until;
    this.#onWait(until, this.#limits.why);
  }

  #isTooLong({ ms, silent }: Wait): boolean {
    return this.#signal?.aborted === true && (silent || ms > PATIENCE);
  }

  #refuse(): void {
    const line = this.#line;
    this.#line = [];
    for (const { reject } of line) {
      reject(
        new HoldfastError("interrupted", "interrupted while waiting for the source's limits", {
          cause: this.#signal?.reason,
        }),
      );
    }
  }
}
