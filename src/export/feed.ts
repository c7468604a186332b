import type { Located } from "../catalog/roster.ts";
import { SubjectSet } from "../catalog/subject-set.ts";
import { hasCode } from "../core/error.ts";
import { timestamp } from "../core/timestamp.ts";
import { errorFields } from "../observe/log.ts";
import type { Page } from "../source/source.ts";
import type { Exporting } from "./context.ts";
import { type Batch, type Candidate, type PlanCounts, planWalk, type Selection } from "./plan.ts";
import type { Way } from "./summary.ts";

/**
 * How often the whole list is walked where the source also names changes, a little less than a week, so that a run at
 * the same hour finds it due.
 */
const WALK_EVERY = Temporal.Duration.from({ hours: 7 * 24 - 12 });
/** Candidates at once from the roster or from changes. */
const BATCH = 100;

/** What the feed reads. A dry run has the same, and its catalog notes nothing. */
export interface FeedParts
  extends Pick<Exporting, "source" | "sourceConfig" | "handles" | "tokens" | "config" | "now" | "log"> {
  readonly catalog: Pick<Exporting["catalog"], "subjects" | "relationships" | "sources" | "roster"> & {
    readonly walk: Pick<Exporting["catalog"]["walk"], "noteMet">;
  };
}

/**
 * Who is looked at in a nightly run, and why: whom the source lists with another content than is kept, whom it names as
 * changed, on whom it was still working, whose last attempt failed, and a slow round over everyone known, so that a
 * change that nothing announced is found within the source's `resync`. Each of them once.
 */
export class Feed {
  readonly #of: FeedParts;
  readonly #met = new SubjectSet();
  readonly #begun: Temporal.Instant;
  readonly #asked: Temporal.Instant | undefined;
  #walked = false;
  #isWhole = true;

  constructor(of: FeedParts) {
    this.#of = of;
    this.#begun = of.now();
    const { asked } = this.#known ?? {};
    this.#asked = asked ? Temporal.Instant.from(asked) : undefined;
  }

  /** Whether this run walks the whole list. */
  get walks(): boolean {
    return this.#of.source.can.list && this.#isWalkDue;
  }

  /** Whether the whole list was walked, so that its end shows who is gone. */
  get walkedWhole(): boolean {
    return this.#walked && this.#isWhole;
  }

  /**
   * @param pages the source's list, read only if this run walks it
   * @param onUnreadable entries of the list without a readable id
   * @param onChange called with the time of each change that the source names, RFC 3339 UTC
   */
  async *candidates(
    pages: AsyncIterable<Page>,
    counts: PlanCounts,
    onUnreadable: (count: number) => void,
    onChange: (at: string) => void = () => {},
  ): AsyncGenerator<Batch> {
    const { source } = this.#of;
    if (this.walks) yield* this.#walk(pages, counts, onUnreadable);
    else if (source.can.changes) {
      try {
        yield* this.#changes(counts, onChange);
      } catch (error) {
        if (!source.can.list || !hasCode(error, "source-denied")) throw error;
        this.#of.log.warn("the key may not ask for changes: walking the whole list instead", errorFields(error));
        yield* this.#walk(pages, counts, onUnreadable);
      }
    }
    yield* this.#roster(counts);
  }

  /** Everyone was looked at. The next run asks for changes since this one began, and continues the slow round. */
  done(): void {
    const { catalog, sourceConfig } = this.#of;
    catalog.sources.noteAsked(sourceConfig.name, timestamp(this.#begun), { walked: this.walkedWhole });
  }

  [Symbol.dispose](): void {
    this.#met.close();
  }

  get #known() {
    return this.#of.catalog.sources.known(this.#of.sourceConfig.name);
  }

  get #isWalkDue(): boolean {
    const { walked } = this.#known ?? {};
    if (!this.#of.source.can.changes || !walked || !this.#asked) return true;
    return Temporal.Instant.compare(Temporal.Instant.from(walked).add(WALK_EVERY), this.#begun) <= 0;
  }

  async *#walk(
    pages: AsyncIterable<Page>,
    counts: PlanCounts,
    onUnreadable: (count: number) => void,
  ): AsyncGenerator<Batch> {
    const { tokens, source } = this.#of;
    const selection: Selection = { kind: "changed", isTurn: (subject) => this.#isTurn(subject) };
    const noted = this.#noted(pages, (ids) => this.#met.add(ids.map((id) => tokens.subject(source.kind, id))));
    yield* planWalk(this.#of, noted, selection, counts, (count) => {
      this.#isWhole = false;
      onUnreadable(count);
    });
    this.#walked = true;
  }

  async *#noted(pages: AsyncIterable<Page>, note: (ids: readonly string[]) => void): AsyncGenerator<Page> {
    for await (const page of pages) {
      if (!page.whole) this.#isWhole = false;
      note([...page.identities.map(({ id }) => id), ...page.unread]);
      yield page;
    }
  }

  async *#changes(counts: PlanCounts, onChange: (at: string) => void): AsyncGenerator<Batch> {
    const { source, tokens } = this.#of;
    for await (const changes of source.changes(this.#asked!)) {
      for (const { at } of changes) onChange(at);
      const found = changes.map(({ id }) => ({ id, subject: tokens.subject(source.kind, id) }));
      yield* this.#batches(found, "changes", counts);
    }
  }

  /** Those of whom only the roster reminds. */
  async *#roster(counts: PlanCounts): AsyncGenerator<Batch> {
    const { catalog, sourceConfig } = this.#of;
    const { roster } = catalog;
    const { name, resync } = sourceConfig;
    const recently = timestamp(this.#begun.subtract({ milliseconds: milliseconds(resync) }));
    yield* this.#batches(this.#opened(roster.failed(name)), "failure", counts);
    yield* this.#batches(this.#opened(roster.open(name, recently)), "open", counts);
    for (const [from, to] of this.#turn())
      yield* this.#batches(this.#opened(roster.between(name, from, to)), "turn", counts);
  }

  *#batches(found: Iterable<Pick<Candidate, "id" | "subject">>, way: Way, counts: PlanCounts): Generator<Batch> {
    let batch: Candidate[] = [];
    for (const { id, subject } of found) {
      if (this.#met.has(subject)) continue;
      this.#met.add([subject]);
      batch.push({ id, subject, listed: undefined, way });
      if (batch.length < BATCH) continue;
      counts.examined += batch.length;
      yield { candidates: batch, cursor: null };
      batch = [];
    }
    counts.examined += batch.length;
    if (batch.length > 0) yield { candidates: batch, cursor: null };
  }

  /** A closed id that does not open is no one's: the log or the state holds what this client did not write. */
  *#opened(found: Iterable<Located>): Generator<Pick<Candidate, "id" | "subject">> {
    const { handles, source, log } = this.#of;
    for (const { subject, handle } of found) {
      let id: string;
      try {
        id = handles.open(subject, source.kind, handle);
      } catch (error) {
        log.warn("cannot open this subject's provider id", { subject, ...errorFields(error) });
        continue;
      }
      yield { id, subject };
    }
  }

  #isTurn(subject: string): boolean {
    return this.#turn().some(([from, to]) => subject >= from && subject < to);
  }

  /**
   * The subjects whose turn it is, as ranges. A hand goes round all subjects once in each `resync`, like a clock's;
   * everyone it passed since the last run is asked about. Its position depends on the time alone.
   */
  #turn(): (readonly [from: string, to: string])[] {
    if (!this.#asked) return [];
    const whole = milliseconds(this.#of.sourceConfig.resync);
    const [last, now] = [this.#asked.epochMilliseconds, this.#begun.epochMilliseconds];
    if (now - last >= whole) return [["", "g"]];
    if (now <= last) return [];
    const [from, to] = [last, now].map((at) => (at % whole) / whole);
    return from! <= to!
      ? [[hex(from!), hex(to!)]]
      : [
          [hex(from!), "g"],
          ["", hex(to!)],
        ];
  }
}

/** Months count from a fixed day, so that the round always takes equally long. */
function milliseconds(duration: Temporal.Duration): number {
  return Math.round(duration.total({ unit: "milliseconds", relativeTo: Temporal.PlainDate.from("2026-01-01") }));
}

/** A share of all subjects, 0 to 1, as the beginning of a subject. */
function hex(share: number): string {
  return Math.floor(share * 2 ** 48)
    .toString(16)
    .padStart(12, "0");
}
