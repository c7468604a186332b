import { hasCode } from "../core/error.ts";
import type { Source } from "../source/source.ts";
import type { Candidate } from "./plan.ts";

/** A uniform random sample of a stream (reservoir sampling). */
export class Sample {
  readonly #taken: Candidate[] = [];
  readonly #size: number;
  readonly #random: () => number;
  #seen = 0;

  /** @param random returns 0 to 1, like Math.random */
  constructor(size: number, random: () => number = Math.random) {
    this.#size = size;
    this.#random = random;
  }

  add(candidate: Candidate): void {
    this.#seen += 1;
    const at = this.#taken.length < this.#size ? this.#taken.length : Math.floor(this.#random() * this.#seen);
    if (at < this.#size) this.#taken[at] = candidate;
  }

  get taken(): readonly Candidate[] {
    return this.#taken;
  }
}

/** Requests and files per identity, estimated from a sample. */
export interface Mean {
  readonly resources: number;
  readonly files: number;
  /** Identities of the sample that were read. */
  readonly sampled: number;
  /** Those that the provider does not have. */
  readonly missing: number;
  /** Requests of what the provider limits apart, without those of files, in the order of `Source.apart`. */
  readonly apart: readonly number[];
}

/** Where records have no files. */
export const NOT_SAMPLED: Mean = { resources: 0, files: 0, sampled: 0, missing: 0, apart: [] };

/** @param onAsked called with how many were asked about so far */
export async function meanOf(
  sample: readonly Candidate[],
  source: Pick<Source, "dossier" | "apart">,
  { full = true, onAsked = (_: number): void => {} } = {},
): Promise<Mean> {
  let [resources, files, sampled, missing] = [0, 0, 0, 0];
  const before = source.apart ?? [];
  for (const [at, { id }] of sample.entries()) {
    onAsked(at);
    try {
      const found = await source.dossier(id, { full });
      resources += found.answers.length - 1;
      files += found.files.length;
      sampled += 1;
    } catch (error) {
      // It was deleted since it was listed, or the run will report the error.
      if (!hasCode(error, "source-missing", "source-denied", "source-response")) throw error;
      if (hasCode(error, "source-missing")) missing += 1;
    }
  }
  const of = Math.max(1, sampled);
  const apart = (source.apart ?? []).map(({ requests }, at) => (requests - before[at]!.requests) / of);
  return { resources: sampled === 0 ? 1 : resources / of, files: files / of, sampled, missing, apart };
}
