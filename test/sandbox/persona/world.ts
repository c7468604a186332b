/**
 * What happened to the inquiries since the sandbox started. Everything else follows from seed and index. Time comes
 * from a clock that a test sets: changes carry its time, redactions spread by it, the search index lags by it.
 */
import { hash } from "../random.ts";
import { World as SharedWorld } from "../world.ts";

/** How often each part of an inquiry changed, and when. Times are milliseconds since 1970. */
export interface Fate {
  readonly status: number;
  readonly field: number;
  readonly checks: number;
  readonly report: number;
  readonly account: number;
  readonly recaptured: number;
  readonly gone: boolean;
  readonly created?: number;
  readonly updated?: number;
  readonly processed?: number;
  readonly checked?: number;
  readonly reported?: number;
  readonly accountUpdated?: number;
  readonly redacted?: number;
  readonly accountRedacted?: number;
}

/** The parts that change alone. A report, checks and the account do not move the inquiry's `updated-at`. */
export type Part = "status" | "field" | "checks" | "report" | "account";

const UNTOUCHED: Fate = { status: 0, field: 0, checks: 0, report: 0, account: 0, recaptured: 0, gone: false };

export interface WorldOptions {
  readonly clock: () => number;
  /** Milliseconds until a change is searchable. */
  readonly searchDelay: number;
  /** Milliseconds from the redaction of an inquiry to that of its verifications, documents and reports. */
  readonly redactDelay: number;
  /** Percentage of inquiries that belong to the same account, and so the same person, as the one before. */
  readonly repeats: number;
}

const KIND = { one: "inquiry", many: "inquiries", key: 202, untouched: UNTOUCHED };

export class World extends SharedWorld<Fate, WorldOptions> {
  readonly #history = new Map<number, { readonly at: number; readonly fate: Fate }[]>();

  constructor(seed: number, size: number, options: WorldOptions) {
    super(KIND, seed, size, options);
  }

  /** The fate as the search index knows it, or undefined while it does not know the inquiry at all. */
  indexedFate(index: number): Fate | undefined {
    const history = this.#history.get(index);
    if (!history) return UNTOUCHED;
    const known = this.now() - this.options.searchDelay;
    return history.findLast(({ at }) => at <= known)?.fate;
  }

  has(index: number): boolean {
    return this.isOne(index) && !this.fate(index).gone;
  }

  /** The first inquiry of the same account; a person is invented from it. */
  base(index: number): number {
    let first = index;
    while (first > 0 && hash(this.seed, 201, first) % 10_000 < this.options.repeats * 100) first--;
    return first;
  }

  /** All inquiries of the account whose first one this is. */
  inquiriesOf(base: number): number[] {
    const found = this.has(base) ? [base] : [];
    for (let index = base + 1; index < this.size && this.base(index) === base; index++) {
      if (this.has(index)) found.push(index);
    }
    return found;
  }

  /** Whether the redaction has reached what hangs on the inquiry. */
  childrenRedacted(index: number): number | undefined {
    const { redacted } = this.fate(index);
    if (redacted === undefined) return undefined;
    const at = redacted + this.options.redactDelay;
    return this.now() >= at ? at : undefined;
  }

  override add(count: number): number[] {
    const indexes = super.add(count);
    for (const index of indexes) this.set(index, { updated: this.now() });
    return indexes;
  }

  change(index: number, part: Part, recapture: boolean): void {
    const fate = this.fate(index);
    const now = this.now();
    if (part === "status") this.set(index, { status: fate.status + 1, updated: now });
    else if (part === "field") this.set(index, { field: fate.field + 1, updated: now });
    else if (part === "checks") this.set(index, { checks: fate.checks + 1, checked: now });
    else if (part === "report") this.set(index, { report: fate.report + 1, reported: now });
    else this.set(this.base(index), { account: this.fate(this.base(index)).account + 1, accountUpdated: now });
    if (recapture) this.set(index, { recaptured: fate.recaptured + 1, processed: now, updated: now });
  }

  vanish(index: number): void {
    this.set(index, { gone: true });
  }

  redact(index: number, account: boolean): void {
    this.set(index, { redacted: this.now(), updated: this.now() });
    if (account) this.set(this.base(index), { accountRedacted: this.now(), accountUpdated: this.now() });
  }

  override set(index: number, news: Partial<Fate>): void {
    const history = this.#history.get(index) ?? (news.created === undefined ? [{ at: 0, fate: UNTOUCHED }] : []);
    super.set(index, news);
    history.push({ at: this.now(), fate: this.fate(index) });
    this.#history.set(index, history);
  }
}
