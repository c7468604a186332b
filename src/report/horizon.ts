import { setImmediate } from "node:timers/promises";
import type { Catalog } from "../catalog/catalog.ts";
import type { Copies } from "../catalog/kept.ts";
import { isBefore } from "../core/timestamp.ts";
import { dueLock, type LockPolicy } from "../retention/lock-due.ts";
import { dateIn } from "../retention/period.ts";
import { purgeAmong } from "../retention/purge-plan.ts";
import { termsAmong } from "../retention/terms.ts";

/** Objects and bytes by month, `2031-11`, ascending. */
export type Months = readonly { readonly month: string; readonly objects: number; readonly bytes: number }[];

export interface Horizon {
  /** What falls due when, by month, of what has a date that is not past. */
  readonly due: Months;
  /** What has no date yet: no end of the relationship is recorded. */
  readonly open: { readonly objects: number; readonly bytes: number };
  /** What is past its date: due for a purge, or kept by a hold or by a lock still in effect. */
  readonly past: { readonly subjects: number; readonly held: number; readonly locked: number };
  /** When locks in the store end, by month. */
  readonly locks: Months;
  /** Objects whose lock has ended though they must be kept: not locked now, as far as the log says. */
  readonly locksEnded: number;
  /** Objects whose lock still lasts, and that the next run locks for longer. */
  readonly locksDue: number;
  /** Subjects whose relationship has an end that was recorded, on a day past or to come. */
  readonly ended: number;
}

/**
 * What must be kept until when. Reads the catalog page by page; what it holds are months.
 * @param onSubject called after each page; may throw
 */
export async function horizonOf(
  catalog: Catalog,
  policy: LockPolicy,
  now: Temporal.Instant,
  onSubject: (done: number) => void,
): Promise<Horizon> {
  const due = new SumsByMonth();
  const locks = new SumsByMonth();
  const open = { objects: 0, bytes: 0 };
  const past = { subjects: 0, held: 0, locked: 0 };
  let [locksEnded, locksDue, ended, done] = [0, 0, 0, 0];
  const look = (subject: string, kept: Copies): void => {
    const lastDay = catalog.relationships.ended(subject);
    const hasEnded = lastDay !== undefined;
    if (hasEnded) ended += 1;
    const terms = termsAmong(kept, policy.retention, subject, lastDay);
    for (const term of terms) {
      locks.add(term.lockedUntil.slice(0, 7), term.size);
      if (dueLock(policy, term, hasEnded, now)) {
        if (isBefore(now, Temporal.Instant.from(term.lockedUntil))) locksDue += 1;
        else locksEnded += 1;
      }
      if (term.until === undefined) {
        open.objects += 1;
        open.bytes += term.size;
      } else if (Temporal.Instant.compare(term.until, now) > 0)
        due.add(dateIn(term.until, policy.retention.timezone).toString().slice(0, 7), term.size);
    }
    const purge = purgeAmong(terms, catalog, subject, now);
    if (purge) {
      past.subjects += 1;
      if (purge.kept) past[purge.kept.by === "hold" ? "held" : "locked"] += 1;
    }
  };
  for (const page of catalog.subjects.pages()) {
    for (const { subject, ...kept } of catalog.kept.among(page)) look(subject, kept);
    done += page.length;
    onSubject(done);
    // Other work gets its turn, such as a signal.
    await setImmediate();
  }
  return { due: due.months, open, past, locks: locks.months, locksEnded, locksDue, ended };
}

class SumsByMonth {
  readonly #months = new Map<string, { objects: number; bytes: number }>();

  add(month: string, size: number): void {
    const of = this.#months.get(month) ?? { objects: 0, bytes: 0 };
    of.objects += 1;
    of.bytes += size;
    this.#months.set(month, of);
  }

  get months(): Months {
    return [...this.#months].sort(([a], [b]) => (a < b ? -1 : 1)).map(([month, of]) => ({ month, ...of }));
  }
}
