import { HoldfastError } from "../../src/core/error.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";

/**
 * Runs as a separate process. Reads `{ root, key, ifMatch }`, puts an object, prints the new etag or the error code.
 */
export interface Order {
  readonly root: string;
  readonly key: string;
  readonly ifMatch: string;
}
export type Outcome = { readonly etag: string } | { readonly code: string };

process.on("message", ({ root, key, ifMatch }: Order) => {
  const body = new TextEncoder().encode(String(process.pid));
  void new DirectoryVault(root).put(key, body, { ifMatch }).then(
    ({ etag }) => process.send?.({ etag } satisfies Outcome),
    (error) => process.send?.({ code: error instanceof HoldfastError ? error.code : String(error) } satisfies Outcome),
  );
});
process.send?.("ready");
