/** A log entry that says something was done which the earlier entries do not allow. */
export interface Fault {
  readonly entry: number;
  /** The first object concerned; none for a policy. */
  readonly key?: string;
  readonly what: string;
}

/** Collects why a purge entry is invalid, and reports one fault per reason, however many objects it concerns. */
export class PurgeFaults {
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
      const more = keys.length > 1 ? ` (also for ${keys.length - 1} more of this entry)` : "";
      this.#onFault({ entry: this.#entry, key: keys[0]!, what: `must not be purged: ${what}${more}` });
    }
  }
}
