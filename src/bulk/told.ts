import type { ClaimStanding } from "./standing.ts";

/** Objects of the manifests that are not logged, and why. */
export interface Counts {
  /** Whose longer lock is in the log already. */
  readonly done: number;
  /** Purged, or stored again in another version. */
  readonly gone: number;
  /** Whose lock could not be set, by the store's code. */
  readonly failed: number;
  readonly codes: Readonly<Record<string, number>>;
  /** In no report. */
  readonly unreported: number;
}

/** Codes that are told apart: a report may contain anything. */
const CODES = 20;

export class Told {
  readonly #count = { done: 0, gone: 0, failed: 0, unreported: 0 };
  readonly #codes = new Map<string, number>();

  /** @param failure as `Outcome` has it */
  add(is: ClaimStanding, failure: string | null): void {
    if (is !== "due") this.#count[is] += 1;
    else if (failure === null) this.#count.unreported += 1;
    else {
      this.#count.failed += 1;
      const code = this.#codes.has(failure) || this.#codes.size < CODES ? failure : "other";
      this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    }
  }

  count(): Counts {
    return { ...this.#count, codes: Object.fromEntries(this.#codes) };
  }
}
