import type { Catalog } from "../catalog/catalog.ts";
import type { LookedAt } from "./lock-turns.ts";
import { dueShare } from "./lock-turns.ts";

/** What a verification of a vault in S3 will take, from what this machine knows. */
export interface VerifyPlan {
  readonly client: string;
  /** Records, files and notes, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** Listings of 1,000 versions. */
  readonly lists: number;
  /** Requests about single objects: their locks. */
  readonly heads: number;
  /** Reads: the log's own pieces, and the objects whose content is read. */
  readonly gets: number;
  /** What is transferred of objects' contents. */
  readonly readBytes: number;
  /** In the currency of the given prices. Null without them. */
  readonly cost: number | null;
}

export interface VerifyPlanParts {
  readonly client: string;
  readonly catalog: Pick<Catalog, "size" | "totals" | "notes">;
  readonly now: Temporal.Instant;
  /** Whose locks were looked at. Undefined: all will be. */
  readonly last: LookedAt | undefined;
  readonly hasInventory: boolean;
  readonly readData: number;
  /** Prices of 1,000 listings, and of 1,000 other requests. */
  readonly prices: { readonly list: number; readonly get: number } | undefined;
}

/** Versions a listing has at most. */
const PAGE = 1_000;
/** Entries of a bundle, and hashes of a tile. */
const WIDTH = 256;
/** Prefixes that are listed at least once: records, files, notes, checkpoints, time stamps, vault.json. */
const PREFIXES = 6;

export function planVerify({
  client,
  catalog,
  now,
  last,
  hasInventory,
  readData,
  prices,
}: VerifyPlanParts): VerifyPlan {
  const { versions, files, bytes } = catalog.totals.counts();
  const objects = versions + files + catalog.notes.count();
  const fresh = last ? catalog.totals.storedFrom(last.entries) : objects;
  const turns = hasInventory ? 0 : (objects - fresh) * dueShare(last, now, versions + files);
  const read = (objects * readData) / 100;
  // What is read is asked about too.
  const heads = Math.ceil(Math.max(fresh + turns, read));
  const lists = PREFIXES + Math.ceil(objects / PAGE);
  let pieces = Math.ceil(catalog.size / WIDTH);
  for (let tiles = pieces; ; tiles = Math.ceil(tiles / WIDTH)) {
    pieces += tiles;
    if (tiles <= 1) break;
  }
  const gets = Math.ceil(pieces + read) + 2;
  const cost = prices === undefined ? null : (lists * prices.list + (heads + gets) * prices.get) / 1_000;
  return { client, objects, bytes, lists, heads, gets, readBytes: Math.round((bytes * readData) / 100), cost };
}
