import { pMapIterable } from "p-map";
import { decodeBundle, decodeTile, MAX_BUNDLE, MAX_TILE, TILE_WIDTH, tilePath } from "../audit/tile.ts";
import { ownError } from "../core/error.ts";
import { auditKey } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import { type LogObject, readLogObject } from "./log-object.ts";
import type { Problem } from "./problem.ts";

/** A bundle of entries and the tile with their hashes. Missing or unparsable parts are undefined, and were reported. */
export interface BundleRead {
  readonly number: number;
  readonly bundle: LogObject | undefined;
  readonly tile: LogObject | undefined;
  readonly entries: readonly Uint8Array[] | undefined;
  readonly row: readonly Uint8Array[] | undefined;
}

/** How many bundles are read ahead of the one being checked. A bundle may have 16 MB. */
const AHEAD = 4;

/** The log of `size` entries, bundle by bundle. */
export async function* readBundles(
  vault: Vault,
  size: number,
  problem: (found: Problem) => void,
): AsyncGenerator<BundleRead> {
  const numbers = Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, number) => number);
  yield* pMapIterable(
    numbers,
    (number) => readOne(vault, number, Math.min(TILE_WIDTH, size - number * TILE_WIDTH), problem),
    { concurrency: AHEAD },
  );
}

async function readOne(
  vault: Vault,
  number: number,
  width: number,
  problem: (found: Problem) => void,
): Promise<BundleRead> {
  const [bundle, tile] = await Promise.all([
    readLogObject(vault, auditKey(tilePath({ level: "entries", index: number, width })), MAX_BUNDLE, problem),
    readLogObject(vault, auditKey(tilePath({ level: 0, index: number, width })), MAX_TILE, problem),
  ]);
  return {
    number,
    bundle,
    tile,
    entries: bundle && parsed(bundle, (bytes) => decodeBundle(bytes, width), problem),
    row: tile && parsed(tile, (bytes) => decodeTile(bytes, width), problem),
  };
}

function parsed<T>({ bytes, info }: LogObject, parse: (bytes: Uint8Array) => T, problem: (found: Problem) => void) {
  try {
    return parse(bytes);
  } catch (error) {
    const own = ownError(error);
    if (own?.code !== "malformed") throw error;
    problem({ key: info.key, what: own.message });
    return undefined;
  }
}
