import type { SourceConfig } from "../config/source-config.ts";
import type { Handles } from "../record/handles.ts";
import type { Inbox, Named } from "./inbox.ts";
import type { Pending } from "./pending.ts";
import { peekPending } from "./waiting.ts";

/** What an auditor can see of the inbox after a run. */
export interface InboxTally {
  /** Events that waited when the run began, of people whom it asks about. */
  readonly taken: number;
  /** Of these, removed because the run settled what they asked for. */
  readonly settled: number;
  /** Of these, removed because no run can read them. */
  readonly dropped?: number;
  /** Events that wait now, and since when. */
  readonly pending: number;
  readonly oldest?: string;
}

/** A provider may send an event before its API knows the person: so long, a 404 means nothing. */
const EARLY = Temporal.Duration.from({ hours: 48 });

/** An event whose closed id does not open is kept so long, so that the right key can be put back. */
const UNOPENED_KEPT = Temporal.Duration.from({ hours: 30 * 24 });

/** How to fix events whose closed ids do not open. */
export const UNOPENED_HINT =
  "They came while lookups.key, or the kind of the source, was another. Put it back, and the next run reads them. Holdfast removes them when they are 30 days old.";

/** Events whose closed ids do not open. */
export interface UnopenedEvents {
  count: number;
  /** When the oldest came. */
  oldest: string | undefined;
}

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
  readonly #told: ReadonlyMap<string, Told>;
  readonly #upTo: number;
  /** Events that stay although no run can ask what they name. */
  readonly unopened: UnopenedEvents;
  /** Events that were removed: Holdfast did not write them so, or their closed ids did not open for a month. */
  readonly dropped: number;
  readonly #taken: number;
  #settled = 0;

  /**
   * Throws `state` if the inbox cannot be read.
   * @param onTrouble called if it cannot be written later: then events stay, and the next run asks again
   * @param untriedAfter only people with an event after this number that no run has tried to settle. Default: everyone
   */
  constructor(
    inbox: Inbox,
    { name, kind }: Pick<SourceConfig, "name" | "kind">,
    handles: Handles,
    now: Temporal.Instant,
    onTrouble: (error: unknown) => void,
    untriedAfter?: number,
  ) {
    this.#inbox = inbox;
    this.#source = name;
    this.#onTrouble = onTrouble;
    this.#upTo = inbox.newest().get(name) ?? 0;
    // What Holdfast did not write.
    const useless: (number | bigint)[] = [];
    let invalid = 0;
    const onInvalid = (id: bigint): void => {
      invalid += 1;
      useless.push(id);
    };
    const pending = inbox.pending(name, this.#upTo, onInvalid, untriedAfter);
    const kept = now.subtract(UNOPENED_KEPT);
    const { told, count, unopened } = gather(pending, handles, kind, ({ id, at }) => {
      const isOld = Temporal.Instant.compare(Temporal.Instant.from(at), kept) < 0;
      if (isOld) useless.push(id);
      return isOld;
    });
    this.#told = told;
    this.unopened = unopened;
    this.#taken = count + invalid;
    this.dropped = this.#remove(useless) ? useless.length : 0;
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
    return {
      ...{ taken: this.#taken, settled: this.#settled },
      ...(this.dropped > 0 ? { dropped: this.dropped } : {}),
      ...{ pending: count, ...(oldest === undefined ? {} : { oldest }) },
    };
  }

  [Symbol.dispose](): void {
    this.#inbox.close();
  }

  #remove(ids: readonly (number | bigint)[]): boolean {
    try {
      if (ids.length > 0) this.#inbox.remove(ids);
      return true;
    } catch (error) {
      this.#onTrouble(error);
      return false;
    }
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

/** What waits, as a run would read it now, without changing anything. Throws `state`. */
export function peekRunInbox(state: string, { name, kind }: Pick<SourceConfig, "name" | "kind">, handles: Handles) {
  const { told, unopened } = peekPending(state, name, (events) => gather(events, handles, kind, () => false));
  return { named: (): Iterable<Named> => told.values(), unopened };
}

/** @param isDropped whether an event that does not open counts no more */
function gather(pending: Iterable<Pending>, handles: Handles, kind: string, isDropped: (event: Pending) => boolean) {
  const told = new Map<string, Told>();
  const unopened: UnopenedEvents = { count: 0, oldest: undefined };
  let count = 0;
  for (const event of pending) {
    const { subject, handle, at, isErasure } = event;
    const known = told.get(subject);
    count += 1;
    // One of a person's events is enough to ask about them.
    if (known === undefined && !opens(handles, event, kind)) {
      if (isDropped(event)) continue;
      unopened.count += 1;
      if (unopened.oldest === undefined || at < unopened.oldest) unopened.oldest = at;
      continue;
    }
    const of = known ?? { subject, handle, newest: at, erased: undefined };
    if (known === undefined) told.set(subject, of);
    if (at > of.newest) of.newest = at;
    if (isErasure) of.erased ??= at;
  }
  return { told, count, unopened };
}

function opens(handles: Handles, { subject, handle }: Named, kind: string): boolean {
  try {
    handles.open(subject, kind, handle);
    return true;
  } catch {
    return false;
  }
}
