import { type Candidate, type Period, type PlanParts, planWalk } from "../export/plan.ts";
import { Sample } from "../export/sample.ts";
import type { Page } from "../source/source.ts";
import type { ListCounts } from "./id-list.ts";

/** What the provider's list alone tells about a backfill; or of a list of ids, what its lines are. */
export interface Survey {
  readonly pages: number;
  /** Identities listed, those that match the period, and those to fetch. */
  readonly listed: number;
  readonly matching: number;
  readonly toFetch: number;
  /** A random sample of those to fetch, all equally likely. */
  readonly sample: readonly Candidate[];
  /** Undefined where the provider's own list was read. */
  readonly list?: ListCounts;
}

/**
 * Reads the list without fetching anyone. Keeps one page and the sample in memory.
 * @param random like Math.random
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
  const sample = new Sample(sampled, random);
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
  for await (const { candidates } of planWalk(parts, counted(), { kind: "period", ...period }, counts, {
    unreadable: () => {},
  })) {
    for (const candidate of candidates) {
      toFetch += 1;
      sample.add(candidate);
    }
  }
  return { pages: walked, listed, matching: counts.examined, toFetch, sample: sample.taken };
}
