import type { Inbox, Named } from "./inbox.ts";

/** What an auditor can see of the inbox after a run. */
export interface InboxTally {
  /** Events that waited when the run began, of people whom it asks about. */
  readonly taken: number;
  /** Of these, removed because the run settled what they asked for. */
  readonly settled: number;
  /** Events that wait now, and since when. */
  readonly pending: number;
  readonly oldest?: string;
}

/** A provider may send an event before its API knows the person: so long, a 404 means nothing. */
const EARLY = Temporal.Duration.from({ hours: 48 });

interface Told extends Named {
  /** When the newest event came. */
  newest: string;
  /** When the provider first said that it lost the data. */
  erased: string | undefined;
}

/**
 * One source's inbox, as one run sees it: what waited when the run began. What arrives later waits for the next run, so
 * that nothing is removed that the provider was asked before it happened.
 */
export class RunInbox implements Disposable {
  readonly #inbox: Inbox;
  readonly #source: string;
  readonly #onTrouble: (error: unknown) => void;
  readonly #told = new Map<string, Told>();
  readonly #upTo: number;
  #taken = 0;
  #settled = 0;

  /**
   * Throws `state` if the inbox cannot be read.
   * @param onTrouble called if it cannot be written later: then events stay, and the next run asks again
   * @param onInvalid called for each event that Holdfast did not write
   * @param untriedAfter only people with an event after this number that no run has tried to settle. Default: everyone
   */
  constructor(
    inbox: Inbox,
    source: string,
    onTrouble: (error: unknown) => void,
    onInvalid: () => void,
    untriedAfter?: number,
  ) {
    this.#inbox = inbox;
    this.#source = source;
    this.#onTrouble = onTrouble;
    this.#upTo = inbox.newest().get(source) ?? 0;
    for (const { subject, handle, at, isErasure } of inbox.pending(source, this.#upTo, onInvalid, untriedAfter)) {
      this.#taken += 1;
      const of = this.#told.getOrInsertComputed(subject, () => ({ subject, handle, newest: at, erased: undefined }));
      if (at > of.newest) of.newest = at;
      if (isErasure) of.erased ??= at;
    }
  }

  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  /** Everyone whom an event names. */
  named(): Iterable<Named> {
    return this.#told.values();
  }

  /** When the provider said that it lost this person's data; undefined if it did not. */
  erased(subject: string): string | undefined {
    return this.#told.get(subject)?.erased;
  }

  /** Whether an event about this person is so new that the provider's API may not know them yet. */
  isEarly(subject: string, now: Temporal.Instant): boolean {
    const newest = this.#told.get(subject)?.newest;
    return newest !== undefined && Temporal.Instant.compare(Temporal.Instant.from(newest).add(EARLY), now) > 0;
  }

  /** What the events about this person asked for is done, and logged. */
  settle(subject: string): void {
    this.#change(subject, () => {
      this.#settled += this.#inbox.settle(this.#source, subject, this.#upTo);
    });
  }

  /** It failed: the events stay for the next run. */
  retry(subject: string): void {
    this.#change(subject, () => this.#inbox.retry(this.#source, subject, this.#upTo));
  }

  /** Throws `state`. */
  tally(): InboxTally {
    const { count, oldest } = this.#inbox.waiting(this.#source);
    return { taken: this.#taken, settled: this.#settled, pending: count, ...(oldest === undefined ? {} : { oldest }) };
  }

  [Symbol.dispose](): void {
    this.#inbox.close();
  }

  #change(subject: string, work: () => void): void {
    if (!this.#told.has(subject)) return;
    try {
      work();
    } catch (error) {
      this.#onTrouble(error);
    }
  }
}
