/** An entry that says something was done which the log up to there does not allow. */
export interface Fault {
  readonly entry: number;
  /** The first object that it is about; of a policy none. */
  readonly key?: string;
  readonly what: string;
}

/** Why an entry of a purge is not to be believed: one fault for each reason, however many of its objects it holds of. */
export class Told {
  readonly #entry: number;
  readonly #onFault: (fault: Fault) => void;
  readonly #keys = new Map<string, string[]>();

  constructor(entry: number, onFault: (fault: Fault) => void) {
    this.#entry = entry;
    this.#onFault = onFault;
  }

  add(key: string, what: string): void {
    this.#keys.set(what, [...(this.#keys.get(what) ?? []), key]);
  }

  end(): void {
    for (const [what, keys] of this.#keys) {
      const more = keys.length > 1 ? ` (and so for ${keys.length - 1} more of this entry)` : "";
      this.#onFault({ entry: this.#entry, key: keys[0]!, what: `may not be purged: ${what}${more}` });
    }
  }
}
