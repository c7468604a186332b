import { HoldfastError } from "../../src/core/error.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";

/** A process of its own that puts what it is told to: `{ root, key, ifMatch }` in, the new etag or the error's code out. */
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
