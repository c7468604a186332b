import { SubjectSet } from "../catalog/subject-set.ts";
import type { Walks } from "../catalog/walk.ts";
import { hasCode } from "../core/error.ts";
import { timestamp } from "../core/timestamp.ts";
import type { RunInbox } from "../inbox/run-inbox.ts";
import { errorFields } from "../observe/log.ts";
import type { Page } from "../source/source.ts";
import type { Exporting } from "./context.ts";
import { batched, type Found, type LocateParts, located } from "./locate.ts";
import { type Batch, type PlanCounts, type PlanParts, planWalk, type Selection, type Told } from "./plan.ts";
import type { Way } from "./summary.ts";
import { milliseconds, type Range, turnOf } from "./turn.ts";

/**
 * How often the whole list is walked where the source also names changes, a little less than a week, so that a run at
 * the same hour finds it due.
 */
const WALK_EVERY = Temporal.Duration.from({ hours: 7 * 24 - 12 });

/** What the feed reads. A dry run has the same, and its catalog notes nothing. */
export interface FeedParts extends Omit<PlanParts, "catalog">, Omit<LocateParts, "catalog"> {
  readonly source: Pick<Exporting["source"], "kind" | "can" | "changes">;
  readonly sourceConfig: Pick<Exporting["sourceConfig"], "name" | "resync" | "horizon">;
  readonly inbox?: Pick<RunInbox, "named"> | undefined;
  readonly catalog: PlanParts["catalog"] &
    LocateParts["catalog"] &
    Pick<Exporting["catalog"], "sources"> & { readonly walk: Pick<Walks, "hasMet"> };
}

/**
 * Who is looked at in a nightly run, and why: whom a webhook named, whom the source lists with another content than is
 * kept, whom it names as changed, whose last attempt failed, a slow round over everyone known, so that a change that nothing
 * announced is found within the source's `resync`, and on whom it was still working. Each of them once.
 */
export class Feed {
  readonly #of: FeedParts;
  /** Everyone whom this run asks about. */
  readonly #given = new SubjectSet();
  readonly #begun: Temporal.Instant;
  /** When the last run began that looked at everyone it had to. */
  readonly #asked: Temporal.Instant | undefined;
  readonly #turn: readonly Range[];
  readonly #isWalkDue: boolean;
  #hasEnded = false;
  #isWhole = true;
  #isReadable = true;

  /** @param begun when the run began; the next one continues from there */
  constructor(of: FeedParts, begun: Temporal.Instant) {
    this.#of = of;
    this.#begun = begun;
    const { asked, walked } = of.catalog.sources.known(of.sourceConfig.name) ?? {};
    this.#asked = asked ? Temporal.Instant.from(asked) : undefined;
    this.#turn = this.#asked ? turnOf(this.#asked, begun, of.sourceConfig.resync) : [];
    this.#isWalkDue = !of.source.can.changes || this.#isLater(asked) || this.#isOld(walked);
  }

  /** Whether this run walks the whole list. */
  get walks(): boolean {
    return this.#of.source.can.list && this.#isWalkDue;
  }

  /** Whether the whole list was walked, and the source knows of no one whom it left out. */
  get walked(): boolean {
    return this.#hasEnded && this.#isWhole;
  }

  /** Whether the end of the walk shows who is gone. An entry without a readable id may be anyone's. */
  get showsGone(): boolean {
    return this.walked && this.#isReadable && this.#of.source.can.deletes !== false;
  }

  /**
   * @param pages the source's list, read only if this run walks it
   * @param tell also of each change that the source names
   */
  async *candidates(pages: AsyncIterable<Page>, counts: PlanCounts, tell: Told): AsyncGenerator<Batch> {
    const { source, inbox } = this.#of;
    if (inbox) yield* this.#batches(located(this.#of, inbox.named()), "inbox", counts);
    if (this.walks) yield* this.#walk(pages, counts, tell);
    else if (source.can.changes) {
      try {
        yield* this.#changes(counts, tell);
      } catch (error) {
        if (!source.can.list || !hasCode(error, "source-denied")) throw error;
        this.#of.log.warn("the key may not ask for changes: walking the whole list instead", errorFields(error));
        yield* this.#walk(pages, counts, tell);
      }
    }
    yield* this.#roster(counts);
  }

  [Symbol.dispose](): void {
    this.#given.close();
  }

  /** Whether a walk at this time says too little by now. A time in the future is of a clock that was wrong. */
  #isOld(walked: string | null | undefined): boolean {
    if (!walked || this.#isLater(walked)) return true;
    return Temporal.Instant.compare(Temporal.Instant.from(walked).add(WALK_EVERY), this.#begun) <= 0;
  }

  #isLater(time: string | null | undefined): boolean {
    return !!time && Temporal.Instant.compare(Temporal.Instant.from(time), this.#begun) > 0;
  }

  async *#walk(pages: AsyncIterable<Page>, counts: PlanCounts, tell: Told): AsyncGenerator<Batch> {
    const selection: Selection = {
      kind: "changed",
      isTurn: (subject) => this.#isTurn(subject),
      isGiven: (subject) => this.#given.has(subject),
    };
    const unreadable = (count: number): void => {
      this.#isReadable = false;
      tell.unreadable(count);
    };
    const plan = planWalk(this.#of, this.#noting(pages), selection, counts, { ...tell, unreadable });
    for await (const { candidates, cursor } of plan) yield { candidates: this.#fresh(candidates), cursor };
    this.#hasEnded = true;
  }

  async *#noting(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
    for await (const page of pages) {
      if (!page.whole) this.#isWhole = false;
      yield page;
    }
  }

  async *#changes(counts: PlanCounts, tell: Told): AsyncGenerator<Batch> {
    const { source, tokens } = this.#of;
    // A source that cannot list is asked for all changes at first.
    for await (const changes of source.changes(this.#asked ?? Temporal.Instant.fromEpochMilliseconds(0))) {
      for (const { at } of changes) tell.listed?.(at);
      const found = changes.map(({ id }) => ({ id, subject: tokens.subject(source.kind, id) }));
      yield* this.#batches(found, "changes", counts);
    }
  }

  /** Those of whom only the roster reminds. */
  async *#roster(counts: PlanCounts): AsyncGenerator<Batch> {
    const { source, catalog } = this.#of;
    const { roster } = catalog;
    const { name, resync } = this.#of.sourceConfig;
    const recently = timestamp(this.#begun.subtract({ milliseconds: milliseconds(resync) }));
    yield* this.#batches(located(this.#of, roster.failed(name)), "failure", counts);
    // Before those who are open: at these a glance may be enough, but not when it is their turn.
    for (const [from, to] of this.#turn)
      yield* this.#batches(located(this.#of, roster.between(name, from, to)), "turn", counts);
    // Without a list, nothing else would show that a 404 was wrong.
    if (!source.can.list && source.can.deletes !== false)
      for (const [from, to] of this.#turn)
        yield* this.#batches(located(this.#of, roster.deleted(name, from, to, this.#readable)), "turn", counts);
    yield* this.#batches(located(this.#of, roster.open(name, recently)), "open", counts);
  }

  /** Since when someone must have changed for the source to let them be read. */
  get #readable(): string {
    const { horizon } = this.#of.sourceConfig;
    if (horizon === undefined) return timestamp(Temporal.Instant.fromEpochMilliseconds(0));
    return timestamp(this.#begun.toZonedDateTimeISO("UTC").subtract(horizon).toInstant());
  }

  *#batches(found: Iterable<Found>, way: Way, counts: PlanCounts): Generator<Batch> {
    for (const batch of batched(found)) {
      const candidates = this.#fresh(batch).map((one) => ({ ...one, listed: undefined, way, ...this.#unlisted(one) }));
      counts.examined += candidates.length;
      if (candidates.length > 0) yield { candidates, cursor: null };
    }
  }

  /** Those whom this run has not been given yet. */
  #fresh<T extends Found>(found: readonly T[]): T[] {
    const once = new Map(found.map((one) => [one.subject, one] as const));
    const fresh = [...once.values()].filter(({ subject }) => !this.#given.has(subject));
    this.#given.add(fresh.map(({ subject }) => subject));
    return fresh;
  }

  /** After the whole list was read: someone new on it is no longer fresh, and of the others the walk knows whom it met. */
  #unlisted({ subject }: Found): { unlisted?: true } {
    if (!this.walked || !this.#isReadable) return {};
    const known = this.#of.catalog.subjects.known(subject);
    return known !== undefined && this.#of.catalog.walk.hasMet(known) ? {} : { unlisted: true };
  }

  #isTurn(subject: string): boolean {
    return this.#turn.some(([from, to]) => subject >= from && subject < to);
  }
}
