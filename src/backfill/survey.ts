import { type Candidate, type Period, type PlanParts, planWalk } from "../export/plan.ts";
import type { Page } from "../source/source.ts";

/** What a walk of the list alone can say of a backfill. */
export interface Survey {
  readonly pages: number;
  /** Identities listed, those of the period among them, and those of them to be fetched. */
  readonly listed: number;
  readonly matching: number;
  readonly toFetch: number;
  /** Some of those to be fetched, each as likely as any other. */
  readonly sample: readonly Candidate[];
}

/**
 * Walks the list and fetches no one. One page and the sample are held.
 * @param random 0 to 1, as Math.random
 */
export async function survey(
  parts: PlanParts,
  pages: AsyncIterable<Page>,
  period: Period,
  sampled: number,
  onPage: (listed: number) => void = () => {},
  random: () => number = Math.random,
): Promise<Survey> {
  const counts = { examined: 0, unchanged: 0, past: 0 };
  const sample: Candidate[] = [];
  let listed = 0;
  let walked = 0;
  let toFetch = 0;
  async function* counted(): AsyncGenerator<Page> {
    for await (const page of pages) {
      walked += 1;
      listed += page.identities.length + page.unread.length + page.unreadable;
      yield page;
      onPage(listed);
    }
  }
  for await (const { candidates } of planWalk(parts, counted(), { kind: "period", ...period }, counts, () => {})) {
    for (const candidate of candidates) {
      toFetch += 1;
      // Reservoir sampling.
      const at = sample.length < sampled ? sample.length : Math.floor(random() * toFetch);
      if (at < sampled) sample[at] = candidate;
    }
  }
  return { pages: walked, listed, matching: counts.examined, toFetch, sample };
}
