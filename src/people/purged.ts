import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../core/error.ts";

/** What destroyed the last that the vault had of a person, oldest first: a purge at each end of a retention period. */
export type Destructions = readonly { readonly time: string; readonly run: string }[];

/** `destroyed on 2026-11-28, by the purge 20261128T100834Z-cd9ffe` */
export function destroyedText(by: Destructions): string {
  const runs = by.map(({ run }) => run).join(" and ");
  return `destroyed on ${by.at(-1)!.time.slice(0, 10)}, by the ${by.length === 1 ? "purge" : "purges"} ${runs}`;
}

/** What makes the certificate of it again. */
export function certificateCommand(client: string, by: Destructions): string {
  const runs = by.map(({ run }) => `--run ${run}`).join(" ");
  return `holdfast retention certificate --client ${client} ${runs} --out <folder>`;
}

/** Of a person of whom nothing is left. */
export function purgedError(catalog: Catalog, client: string, subject: string, what: string): HoldfastError {
  const by = catalog.purges.destroyed(subject);
  if (by.length === 0) {
    // The log is untrusted: an entry may say that nothing is left, and name no object.
    return new HoldfastError("usage", `the log says that nothing is left of ${what}, and not what was destroyed`, {
      hint: "Run `holdfast verify`.",
    });
  }
  return new HoldfastError("usage", `all that the vault had of ${what} was ${destroyedText(by)}`, {
    hint: `For the certificate run \`${certificateCommand(client, by)}\`.`,
  });
}
