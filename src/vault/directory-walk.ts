import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { HoldfastError } from "../core/error.ts";
import { directoryError } from "./directory-errors.ts";
import { VERSION } from "./directory-note.ts";

/** What a listing reads at once. */
export const AT_ONCE = 8;

/** Walks no wider than the prefix: a job asks for lease.json several times, which lies beside everything else. */
export async function* keysUnder(root: string, prefix: string): AsyncGenerator<{ key: string; names: string[] }> {
  checkPrefix(prefix);
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const entries = await inside(root, folder);
  yield* walk(
    root,
    folder,
    entries.filter((entry) => `${folder}${entry.name}/`.startsWith(prefix)),
  );
}

/** Depth first, in the order of keys; folders beside each other are read ahead. */
async function* walk(
  root: string,
  folder: string,
  entries: readonly Dirent[],
): AsyncGenerator<{ key: string; names: string[] }> {
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  if (names.some((name) => VERSION.test(name))) yield { key: folder.replace(/\/$/, ""), names };
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const read = pMapIterable(
    folders.sort(byKey),
    async (name) => {
      return { path: `${folder}${name}/`, entries: await inside(root, `${folder}${name}/`) };
    },
    { concurrency: AT_ONCE },
  );
  for await (const { path, entries } of read) yield* walk(root, path, entries);
}

async function inside(root: string, folder: string): Promise<Dirent[]> {
  const path = join(root, ".versions", folder);
  return readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw directoryError(error, `list ${folder}`);
  });
}

/** A part that begins with a dot is none: `..` leaves the vault, `.versions` is its inside. */
const KEY = /^[a-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
export function isKey(text: string): boolean {
  return KEY.test(text);
}

export function checkPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder !== "" && !isKey(folder.slice(0, -1))) throw new HoldfastError("malformed", "not a prefix of keys");
}

/** The order in which S3 lists: folders compare as if their name ended in a slash. */
function byKey(a: string, b: string): number {
  return `${a}/` < `${b}/` ? -1 : 1;
}
