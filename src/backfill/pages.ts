import { hasCode } from "../error.ts";
import type { Page, Source } from "../source/source.ts";

/** Walks that may be begun anew in one run, before the cursors are at fault and not their age. */
const RESTARTS = 3;

/**
 * The pages after `cursor`. A source that knows a cursor no more (it was long ago, or the provider changed them) is
 * walked from its beginning: what is kept already costs a look at the catalog and no request but the pages'.
 */
export async function* pagesAfter(
  source: Pick<Source, "pages">,
  cursor: string | null,
  onRestart: () => void,
): AsyncGenerator<Page> {
  let from = cursor;
  for (let restarts = 0; ; restarts++) {
    try {
      for await (const page of source.pages(from === null ? {} : { cursor: from })) {
        yield page;
        from = page.cursor;
      }
      return;
    } catch (error) {
      const forgotten = hasCode(error, "source-rejected", "source-missing", "source-response");
      if (from === null || !forgotten || restarts === RESTARTS) throw error;
      from = null;
      onRestart();
    }
  }
}
