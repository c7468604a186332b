/**
 * Pages are settled in any order, because their identities are under way side by side; how far a walk has come is
 * said in the pages' own order, so that going on from there leaves no one out.
 */
export class PageOrder {
  readonly #open: { readonly cursor: string | null; left: number }[] = [];
  readonly #onSettled: (cursor: string | null) => void;

  /** @param onSettled every page up to the one that ends at this cursor is settled */
  constructor(onSettled: (cursor: string | null) => void) {
    this.#onSettled = onSettled;
  }

  /** A page of so many candidates begins. What it gives is to be called once for each that is settled. */
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
