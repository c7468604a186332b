import type { Console } from "../observe/console.ts";
import { MOST } from "../observe/first-few.ts";
import { number } from "../observe/format.ts";
import type { Problem } from "../verify/problem.ts";
import type { Orphan } from "../verify/unlogged-versions.ts";

/** JSON lists at most this many problems and orphans, and counts the rest. */
const LISTED = 100_000;

/** What a verification finds: it says the first of each kind as they come, and how many more there are. */
export class VerifyFindings {
  readonly problems: Problem[] = [];
  readonly unlocked: Problem[] = [];
  readonly orphans: Orphan[] = [];
  readonly #console: Console;
  readonly #client: string;
  readonly #shown = { problems: 0, orphans: 0 };
  #unlocked = 0;

  constructor(console: Console, client: string) {
    this.#console = console;
    this.#client = client;
  }

  problem(problem: Problem): void {
    if (this.problems.length < LISTED) this.problems.push(problem);
    if (this.#console.isWatched && ++this.#shown.problems > MOST) return;
    const { key, entry, what } = problem;
    this.#console.log.error(entry === undefined ? what : `entry ${entry}: ${what}`, { client: this.#client, key });
  }

  notLocked(object: Problem): void {
    if (this.unlocked.length < LISTED) this.unlocked.push(object);
    // The summary says how to lock all of them.
    if (++this.#unlocked <= MOST) this.#console.log.info(object.what, { client: this.#client, key: object.key });
  }

  orphan(orphan: Orphan): void {
    if (this.orphans.length < LISTED) this.orphans.push(orphan);
    if (this.#console.isWatched && ++this.#shown.orphans > MOST) return;
    this.#console.log.warn("this object is not in the log", { client: this.#client, key: orphan.key });
  }

  /** Says how many findings the terminal does not show. */
  sayMore(): void {
    const { log } = this.#console;
    const client = this.#client;
    for (const [what, count] of Object.entries(this.#shown)) {
      if (count > MOST) log.warn(`… and ${number(count - MOST)} more ${what}: ${listsOf(count)}`, { client });
    }
    if (this.#unlocked <= MOST) return;
    const more = number(this.#unlocked - MOST);
    log.info(`… and ${more} more that are not locked: ${listsOf(this.#unlocked)}`, { client });
  }
}

function listsOf(count: number): string {
  return count > LISTED ? `--json lists ${number(LISTED)}` : "--json lists all";
}
