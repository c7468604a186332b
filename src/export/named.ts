import pMap from "p-map";
import { hasCode } from "../core/error.ts";
import type { Exporting } from "./context.ts";

/** What the provider and the vault know about identities named by the provider's id. */
export interface NamedIdentities {
  /** Export these: the provider or the vault has them. */
  readonly known: readonly string[];
  /** In the vault, but no longer at the provider. */
  readonly gone: number;
  /**
   * Unknown to the provider, and the vault has no copy from this project: a typo. Positions in the given list, from 1,
   * because no message may contain an id.
   */
  readonly unknown: readonly number[];
}

/**
 * Asks the provider for each before anything is logged: an unknown id must leave no entry. If the provider cannot be
 * asked, the run reports why.
 */
export async function lookUpNamed(
  { source, tokens, catalog }: Pick<Exporting, "source" | "tokens" | "catalog">,
  named: readonly string[],
): Promise<NamedIdentities> {
  const ids = [...new Set(named)];
  const found = await pMap(
    ids,
    async (id): Promise<"there" | "gone" | "unknown"> => {
      try {
        await source.dossier(id, { full: false });
        return "there";
      } catch (error) {
        if (!hasCode(error, "source-missing")) return "there";
        const known = catalog.subjects.known(tokens.subject(source.kind, id));
        if (known === undefined) return "unknown";
        const { id: project } = await source.project();
        return known.project === tokens.project(source.kind, project) ? "gone" : "unknown";
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
