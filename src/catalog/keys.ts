import { bytesOf, personOf, versionBytes } from "./packing.ts";

/**
 * The layout of keys (src/vault/layout.ts) in SQL, for keys that the catalog has as texts. All other code parses keys
 * with `parseKey`.
 */

/** The person of a record's key, `records/<2 digits>/<subject>/<version>.age`, and the version. */
export const personOfRecord = (key: string): string => personOf(`substr(${key}, 12, 32)`);
export const versionOfRecord = (key: string): string => versionBytes(`substr(${key}, 45, 29)`);

/** The person of a file's key, `files/<2 digits>/<subject>/<name>.age`, and the name. */
export const personOfFile = (key: string): string => personOf(`substr(${key}, 10, 32)`);
export const nameOfFile = (key: string): string => bytesOf(`substr(${key}, 43, 32)`);

/** All keys in a folder are between these two. */
export function keysWithin(folder: string): [string, string] {
  return [folder, `${folder}~`];
}
