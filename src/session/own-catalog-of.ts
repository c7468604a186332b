import type { Catalog } from "../catalog/catalog.ts";
import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";

/** This machine's catalog of a client, for plans that send no request. Throws `state` without one. */
export function ownCatalogOf(config: ClientConfig): Disposable & { readonly of: Catalog } {
  const of = peekCatalog(config);
  if (of === undefined) {
    throw new HoldfastError("state", `${config.id}: this machine has no catalog to plan from`, {
      hint: "Plan on the machine that exports, or run `holdfast rebuild` first.",
    });
  }
  return { of, [Symbol.dispose]: () => of.close() };
}
