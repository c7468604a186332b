/**
 * Pages are settled in any order, because identities are exported concurrently. Progress is reported in page order, so
 * that resuming from there skips no one.
 */
export class PageOrder {
  readonly #open: { readonly cursor: string | null; left: number }[] = [];
  readonly #onSettled: (cursor: string | null) => void;

  /** @param onSettled called when every page up to this cursor is settled */
  constructor(onSettled: (cursor: string | null) => void) {
    this.#onSettled = onSettled;
  }

  /** Starts a page of `count` candidates. Call the returned function once for each that is settled. */
  begin(cursor: string | null, count: number): () => void {
    const page = { cursor, left: count };
    this.#open.push(page);
    this.#advance();
    return () => {
      page.left -= 1;
      this.#advance();
    };
  }

  #advance(): void {
    let passed: string | null | undefined;
    while (this.#open[0]?.left === 0) passed = this.#open.shift()!.cursor;
    if (passed !== undefined) this.#onSettled(passed);
  }
}
