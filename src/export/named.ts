import pMap from "p-map";
import { hasCode } from "../core/error.ts";
import type { Exporting } from "./context.ts";

/** What the provider and the vault know of identities that someone named by the provider's id. */
export interface Named {
  /** To be exported: the provider has them, or the vault does. */
  readonly known: readonly string[];
  /** In the vault, and the provider has them no longer. */
  readonly gone: number;
  /** Neither knows them: a typing error. Their places among those named, from 1, because an id is in no message. */
  readonly unknown: readonly number[];
}

/**
 * Asks the provider for each before anything is logged: an id that no one knows must leave no entry. What cannot be asked
 * now is left to the run, which says why.
 */
export async function lookUpNamed(
  { source, tokens, catalog }: Pick<Exporting, "source" | "tokens" | "catalog">,
  named: readonly string[],
): Promise<Named> {
  const ids = [...new Set(named)];
  const found = await pMap(
    ids,
    async (id): Promise<"there" | "gone" | "unknown"> => {
      try {
        await source.identity(id);
        return "there";
      } catch (error) {
        if (!hasCode(error, "source-missing")) return "there";
        return catalog.subjects.known(tokens.subject(source.kind, id)) === undefined ? "unknown" : "gone";
      }
    },
    { concurrency: 4 },
  );
  return {
    known: ids.filter((_, at) => found[at] !== "unknown"),
    gone: found.filter((each) => each === "gone").length,
    unknown: found.flatMap((each, at) => (each === "unknown" ? [at + 1] : [])),
  };
}
