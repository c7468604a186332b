import { hasCode } from "../core/error.ts";
import type { Page, Source } from "../source/source.ts";

/**
 * The pages after `cursor`. If the source no longer accepts the cursor (because of its age or a change at the
 * provider), starts from the first page, once: identities already kept only take a catalog lookup. A broken page, or a
 * second refusal, is an error: starting over would not help.
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
