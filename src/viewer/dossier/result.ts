import type { Verdict } from "../finding.ts";
import type { ProviderCheck } from "./dossier.ts";

/** Providers' words for how a check ended. Only these few are shown as a mark of the page. */
const RESULTS: Readonly<Record<string, Verdict>> = {
  ...{ clear: "good", verified: "good", passed: "good", approved: "good", no_match: "good" },
  ...{ GREEN: "good", YELLOW: "unsure", RED: "bad" },
  ...{ consider: "unsure", caution: "unsure", suspected: "unsure", unidentified: "unsure" },
  ...{ review: "unsure", needs_review: "unsure", not_applicable: "unchecked" },
  ...{ resubmission_requested: "unsure", possible_match: "unsure", expired: "unchecked", abandoned: "unchecked" },
  ...{ rejected: "bad", unverified: "bad", failed: "bad", declined: "bad", match: "bad" },
};

export function verdictIn(word: string): Verdict | undefined {
  return Object.hasOwn(RESULTS, word) ? RESULTS[word] : undefined;
}

/** How many checks ended with each word that the page knows, the worst first; a match has a place of its own. */
export function resultsOf(checks: readonly ProviderCheck[]): { word: string; verdict: Verdict; count: number }[] {
  const words = checks.flatMap(({ rows }) => rows.filter(({ path }) => path.join() === "result"));
  return Object.entries(RESULTS)
    .filter(([word]) => word !== "match" && word !== "no_match")
    .map(([word, verdict]) => ({ word, verdict, count: words.filter(({ value }) => value === word).length }))
    .filter(({ count }) => count > 0)
    .reverse();
}
