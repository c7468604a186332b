import type { Log } from "../observe/log.ts";
import { LOCKS, type Part } from "./last-runs.ts";
import type { Attempts } from "./retry-run.ts";

/** A part of a client whose run is due, and the attempts at it so far. */
export interface DueRun {
  readonly part: Part;
  readonly attempts: Attempts;
}

/**
 * Which run of each client is active in this process: never two at once. A run that is due while the same sources are
 * active is skipped, with a warning; one of the client's other sources waits, and so does any while someone has taken the
 * client.
 */
export class Turns {
  readonly #log: Log;
  readonly #start: (due: DueRun) => void;
  /** The names of what is active, by client. */
  readonly #active = new Map<string, readonly string[]>();
  /** What waits until its client's active run has ended, by client. */
  readonly #queued = new Map<string, DueRun[]>();
  /** Clients that someone took; called when a run wants one. */
  readonly #taken = new Map<string, () => void>();

  /** @param start begins a run that waited, unless it is no longer in the config */
  constructor(log: Log, start: (due: DueRun) => void) {
    this.#log = log;
    this.#start = start;
  }

  /** Whether a run of this client is active. Not if it is only taken. */
  isActive(id: string): boolean {
    return this.#active.has(id);
  }

  /** Whether the part's run begins now: call `end` after it. If not, it waits for its turn, or is skipped. */
  begin({ part, attempts }: DueRun): boolean {
    const { id } = part.client;
    const onWanted = this.#taken.get(id);
    if (onWanted) {
      this.#queue({ part, attempts });
      onWanted();
      return false;
    }
    const active = this.#active.get(id);
    if (active === undefined) {
      this.#active.set(id, part.names);
      return true;
    }
    const names = part.names.filter((name) => !active.includes(name) && name !== LOCKS);
    if (names.length > 0) this.#queue({ part: { ...part, names }, attempts });
    else if (part.names.some((name) => active.includes(name)))
      this.#log.warn("the previous run is still active: skipping this one", { client: id });
    return false;
  }

  /** A run of this client has ended: the next one that waited for it may start. */
  end(id: string): void {
    this.#active.delete(id);
    const [next, ...others] = this.#queued.get(id) ?? [];
    if (next === undefined) return;
    this.#queued.set(id, others);
    this.#start(next);
    if (!this.#active.has(id)) this.end(id);
  }

  /**
   * Takes a client, so that none of its runs begins until this is disposed of. Undefined if one is active.
   * @param onWanted a run is due, and waits
   */
  take(id: string, onWanted: () => void): Disposable | undefined {
    if (this.#active.has(id) || this.#taken.has(id)) return undefined;
    this.#taken.set(id, onWanted);
    return {
      [Symbol.dispose]: () => {
        this.#taken.delete(id);
        this.end(id);
      },
    };
  }

  /** Once, however often it falls due meanwhile. */
  #queue(due: DueRun): void {
    const { client, names } = due.part;
    const queued = this.#queued.getOrInsert(client.id, []);
    if (queued.some(({ part }) => names.every((name) => part.names.includes(name)))) return;
    queued.push(due);
    const source = names.filter((name) => name !== LOCKS).join(", ");
    this.#log.info("another run of this client is active: this one waits until it has ended", {
      client: client.id,
      ...(source === "" ? {} : { source }),
    });
  }
}
