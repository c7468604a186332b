/** How long a key with the lesser right sees sensitive results, and an hour, because clocks differ. */
const RECENT = Temporal.Duration.from({ hours: 49 });
/** While refusals are expected, each such session is asked for all the same: the right may be granted during a run. */
const EACH = 50;

/**
 * Whether the key may see sensitive results, as far as the last answers tell. To ask without the right costs one more
 * request for each session. A key may have it for recent sessions only, and no one knows a session's age before asking.
 */
export class SensitiveRight {
  readonly #now: () => Temporal.Instant;
  readonly #isRefused = { recent: false, old: false };
  #withheld = 0;

  constructor(now: () => Temporal.Instant) {
    this.#now = now;
  }

  /** Whether to name sensitive results in the first request for a session. */
  get isLikely(): boolean {
    if (!this.#isRefused.old) return true;
    this.#withheld = (this.#withheld + 1) % EACH;
    return this.#withheld === 0;
  }

  /** Whether to ask for them after all, once it is known from when the session's last report is. */
  isWorthAsking(updated: string): boolean {
    return this.#ageOf(updated) === "recent" && !this.#isRefused.recent;
  }

  note(updated: string, isGranted: boolean): void {
    const age = this.#ageOf(updated);
    this.#isRefused[age] = !isGranted;
    // Who may see the old ones also sees the recent ones, and who may not see the recent ones sees none.
    if (isGranted === (age === "old")) this.#isRefused[age === "old" ? "recent" : "old"] = !isGranted;
  }

  #ageOf(updated: string): "recent" | "old" {
    const until = Temporal.Instant.from(updated).add(RECENT);
    return Temporal.Instant.compare(until, this.#now()) > 0 ? "recent" : "old";
  }
}
