import { hasCode } from "../core/error.ts";
import type { Page, Source } from "../source/source.ts";

/**
 * The pages after `cursor`. A source that knows a cursor no more (it was long ago, or the provider changed them) is
 * walked from its beginning, once: what is kept already costs a look at the catalog and no request but the pages'. A page
 * that is broken, and one that is refused a second time, would not be any better in another walk.
 */
export async function* pagesAfter(
  source: Pick<Source, "pages">,
  cursor: string | null,
  onRestart: () => void,
): AsyncGenerator<Page> {
  let from = cursor;
  for (let restarted = false; ; restarted = true) {
    try {
      for await (const page of source.pages(from === null ? {} : { cursor: from })) {
        yield page;
        from = page.cursor;
      }
      return;
    } catch (error) {
      if (from === null || restarted || !hasCode(error, "source-rejected", "source-missing")) throw error;
      from = null;
      onRestart();
    }
  }
}
