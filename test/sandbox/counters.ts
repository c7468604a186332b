/** Counts requests to the sandbox and its answers. */

export type Endpoint = "settings" | "identities" | "identity" | "resources" | "resource" | "file" | "other";
/** A status code, or `reset` for a connection that was cut instead of answered. */
export type Outcome = number | "reset";

/** `Name` is the provider's own list of endpoints; Passbase's unless it says otherwise. */
export class Counters<Name extends string = Endpoint> {
  readonly #counts = new Map<`${Name} ${Outcome}`, number>();
  #inFlight = 0;
  #peak = 0;

  /** The maximum number of requests in flight at once. */
  get peak(): number {
    return this.#peak;
  }

  get total(): number {
    return this.of();
  }

  /** Requests to an endpoint with this outcome; without arguments all of them. */
  of(endpoint?: Name, outcome?: Outcome): number {
    let sum = 0;
    for (const [key, count] of this.#counts) {
      const [where, how] = key.split(" ");
      if ((endpoint ?? where) === where && String(outcome ?? how) === how) sum += count;
    }
    return sum;
  }

  clear(): void {
    this.#counts.clear();
    this.#peak = this.#inFlight;
  }

  begin(): void {
    this.#inFlight++;
    this.#peak = Math.max(this.#peak, this.#inFlight);
  }

  /** Counted when the answer is decided, so that a client that has the answer sees it counted. */
  count(endpoint: Name, outcome: Outcome): void {
    const key: `${Name} ${Outcome}` = `${endpoint} ${outcome}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  end(): void {
    this.#inFlight--;
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
