import { plural } from "../observe/format.ts";
import type { Log } from "../observe/log.ts";

/** What the stored records of one run lack, because the source's key may not read it. */
export class Gaps {
  readonly #records = new Map<string, number>();

  /** @param gaps of one stored record: names in the provider's documentation */
  note(gaps: readonly string[]): void {
    for (const gap of gaps) this.#records.set(gap, (this.#records.get(gap) ?? 0) + 1);
  }

  /** Warns once of each. */
  tell(log: Log): void {
    for (const [gap, count] of [...this.#records].sort()) {
      log.warn(`the key may not read ${gap}: ${plural(count, "stored record lacks", "stored records lack")} it`, {
        count,
        hint: "Ask the provider to grant the key this right; `holdfast doctor` names them all. Records are completed when they are next asked about.",
      });
    }
  }
}
