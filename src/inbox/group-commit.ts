import type { Clock } from "../core/clock.ts";
import type { Arrival, ArrivalOutcome, Inbox } from "./inbox.ts";

interface Waiting {
  readonly arrival: Arrival;
  readonly settle: (outcome: ArrivalOutcome) => void;
  readonly fail: (error: unknown) => void;
}

/** The most deliveries in one transaction. */
const MOST = 500;

/**
 * Lets deliveries that arrive at the same time share one flush to the disk, which takes longer than everything else. While
 * one is under way, the next ones gather.
 */
export class GroupCommit {
  readonly #inbox: Inbox;
  readonly #now: Clock;
  #waiting: Waiting[] = [];
  #isDue = false;

  constructor(inbox: Inbox, now: Clock) {
    this.#inbox = inbox;
    this.#now = now;
  }

  /** Resolves when the delivery is on the disk; rejects with `state` if it cannot be written. */
  append(arrival: Arrival): Promise<ArrivalOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<ArrivalOutcome>();
    this.#waiting.push({ arrival, settle: resolve, fail: reject });
    if (!this.#isDue) setImmediate(() => this.#commit());
    this.#isDue = true;
    return promise;
  }

  #commit(): void {
    const group = this.#waiting.splice(0, MOST);
    this.#isDue = this.#waiting.length > 0;
    if (this.#isDue) setImmediate(() => this.#commit());
    try {
      const outcomes = this.#inbox.append(
        group.map(({ arrival }) => arrival),
        this.#now(),
      );
      for (const [at, { settle }] of group.entries()) settle(outcomes[at]!);
    } catch (error) {
      for (const { fail } of group) fail(error);
    }
  }
}
