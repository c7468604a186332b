import { plural } from "../observe/format.ts";
import type { Log } from "../observe/log.ts";

/** Names in one line. The records have all of theirs, and `doctor` names what the key lacks. */
const MOST = 20;

/** What the stored records of one run lack, because the source's key may not read it. */
export class Gaps {
  readonly #names = new Set<string>();
  #records = 0;

  /** @param gaps of one stored record: names in the provider's documentation */
  note(gaps: readonly string[]): void {
    if (gaps.length > 0) this.#records += 1;
    for (const gap of gaps) this.#names.add(gap);
  }

  /** Warns once of all. */
  tell(log: Log): void {
    if (this.#records === 0) return;
    const names = [...this.#names].sort();
    const more = names.length > MOST ? ` and ${names.length - MOST} more` : "";
    const lack = plural(this.#records, "stored record lacks", "stored records lack");
    const what = names.length === 1 ? "it" : "all or some of it";
    log.warn(`the key may not read ${names.slice(0, MOST).join(", ")}${more}: ${lack} ${what}`, {
      count: this.#records,
      hint: "Ask the provider to grant the key this right; `holdfast doctor` names them all. Records are completed when they are next asked about.",
    });
  }
}
