import { HoldfastError } from "../core/error.ts";
import { Fingerprints } from "./fingerprints.ts";

/** After this many pages in a row without a new identity, the list is endless. */
const STALE_PAGES = 100;

/**
 * Follows a cursor, and stops if it goes in circles: if a cursor comes back, or if too many pages in a row are empty or
 * start like an earlier page. A few such pages are normal (pages shift; a filter may leave one empty).
 */
export class PageCursor {
  readonly #name: string;
  readonly #seen = new Fingerprints();
  readonly #begun = new Fingerprints();
  #stale = 0;
  cursor: string | null;

  constructor(name: string, cursor: string | null = null) {
    this.#name = name;
    this.cursor = cursor;
    if (cursor !== null) this.#seen.add(cursor);
  }

  /** @param first the first id on the page; undefined if the page is empty */
  advance(next: string | null, first: string | undefined): void {
    this.#stale = first !== undefined && this.#begun.add(first) ? 0 : this.#stale + 1;
    this.cursor = next;
    if (next === null) return;
    if (!this.#seen.add(next)) throw this.#broken("a page cursor was repeated");
    if (this.#stale >= STALE_PAGES) throw this.#broken(`${STALE_PAGES} pages in a row had nothing new`);
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError("source-response", `${this.#name}: ${what}`, {
      hint: "The provider's paging is broken. Try again later; everything exported so far is kept.",
    });
  }
}
