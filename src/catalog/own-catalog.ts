import { join } from "node:path";
import { Catalog } from "./catalog.ts";

/** @param state the client's own folder */
export function catalogFile(state: string): string {
  return join(state, "catalog.sqlite");
}

/** A client's catalog on this machine, for reading, while another process may write it. Undefined if it is missing or unusable. */
export function peekCatalog(of: {
  readonly state: string;
  readonly log: { readonly origin: string };
}): Catalog | undefined {
  return Catalog.peek(catalogFile(of.state), of.log.origin);
}
