import { join } from "node:path";
import type { Entry, Policy } from "../audit/entry.ts";
import { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import type { Fault } from "../retention/fault.ts";
import { Replay } from "../retention/replay.ts";
import { Superseded } from "../retention/superseded.ts";

/** What of a subject says whether it might be destroyed; `policy.changed` and `journal.resumed` are no one's. */
export const TRAIL: ReadonlySet<Entry["type"]> = new Set([
  ...(["record.stored", "record.files", "lock.extended", "relationship.ended", "relationship.reopened"] as const),
  ...(["hold.placed", "hold.released", "purge.begun", "purge.withdrawn", "record.purged", "policy.changed"] as const),
  "journal.resumed",
]);

/** Entries of a certificate, in the log's order. */
export interface Replayed {
  readonly index: number;
  readonly entry: Entry;
}

export interface TrailOptions {
  readonly origin: string;
  /** The rules before the log tells any; undefined where the reader knows none. */
  readonly policy: RetentionConfig | undefined;
  readonly now: Temporal.Instant;
  /** Where files may be made, for the while. */
  readonly folder: string;
}

/** Entries that are applied at once. */
const BATCH = 1_000;

/** Holds the purges among entries, given one after the other, to those before them. */
export class Trail implements Disposable {
  readonly #index: Catalog;
  readonly #superseded: Superseded;
  readonly #replay: Replay;
  #batch: Replayed[] = [];
  #fault: Fault | undefined;
  #rules: Policy | undefined;

  constructor({ origin, policy, now, folder }: TrailOptions) {
    this.#index = Catalog.temporary(join(folder, ".trail"), origin);
    this.#superseded = new Superseded(join(folder, ".superseded"));
    this.#replay = new Replay({
      index: this.#index,
      superseded: this.#superseded,
      policy,
      latest: () => now,
      onFault: (fault) => {
        this.#fault ??= fault;
      },
    });
  }

  /** Throws `unverified` for the first purge that they do not allow, here or later. */
  take(entry: Replayed): void {
    this.#batch.push(entry);
    if (entry.entry.type === "policy.changed") this.#rules = entry.entry.to;
    if (this.#batch.length >= BATCH) this.#apply();
  }

  /** The rules that were in force last, and how many purges came before any, and so were held to none. */
  end(): { readonly rules: Policy | undefined; readonly withoutPolicy: number } {
    this.#apply();
    return { rules: this.#rules, withoutPolicy: this.#replay.withoutPolicy };
  }

  #apply(): void {
    this.#index.applyKnown(this.#replay.inOrder(this.#batch));
    this.#batch = [];
    if (this.#fault) throw notAllowed(this.#fault);
  }

  [Symbol.dispose](): void {
    this.#index.close();
    this.#superseded.close();
  }
}

function notAllowed({ entry, key, what }: Fault): HoldfastError {
  return new HoldfastError(
    "unverified",
    `the log does not allow this purge: entry ${entry}${key ? `, ${key}` : ""}: ${what}`,
    {
      hint: "Do not rely on it. Keep the log, and run `holdfast verify` on the vault: it names every such entry.",
    },
  );
}
