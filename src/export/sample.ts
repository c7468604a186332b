import { hasCode } from "../core/error.ts";
import type { Source } from "../source/source.ts";
import type { Candidate } from "./plan.ts";

/** Some of many, each as likely as any other (reservoir sampling). */
export class Sample {
  readonly #taken: Candidate[] = [];
  readonly #size: number;
  readonly #random: () => number;
  #seen = 0;

  /** @param random 0 to 1, as Math.random */
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

/** Requests for the list of files, and files, that one identity has: asked of a few, for an estimate. */
export interface Mean {
  readonly resources: number;
  readonly files: number;
  /** Identities that were asked. */
  readonly sampled: number;
}

export async function meanOf(sample: readonly Candidate[], source: Pick<Source, "resources">): Promise<Mean> {
  let [resources, files, sampled] = [0, 0, 0];
  for (const { id } of sample) {
    try {
      const found = await source.resources(id);
      resources += found.texts.length;
      files += found.files.length;
      sampled += 1;
    } catch (error) {
      // Deleted since it was listed, or an error that the run will report.
      if (!hasCode(error, "source-missing", "source-denied", "source-response")) throw error;
    }
  }
  const of = Math.max(1, sampled);
  return { resources: sampled === 0 ? 1 : resources / of, files: files / of, sampled };
}
