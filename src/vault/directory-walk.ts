import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { HoldfastError } from "../core/error.ts";
import { directoryError } from "./directory-errors.ts";
import { VERSION } from "./directory-note.ts";

/** Folders and objects that a listing reads in parallel. */
export const AT_ONCE = 8;

/** Walks only the prefix: a job lists lease.json several times, and everything else lies beside it. */
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

/** Depth first, in key order. Reads sibling folders ahead. */
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

/** No part of a key begins with a dot: `..` would leave the vault, and `.versions` is internal. */
const KEY = /^[a-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
export function isKey(text: string): boolean {
  return KEY.test(text);
}

export function checkPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder !== "" && !isKey(folder.slice(0, -1))) throw new HoldfastError("malformed", "not a valid key prefix");
}

/** The order in which S3 lists: a folder sorts as if its name ended in a slash. */
function byKey(a: string, b: string): number {
  return `${a}/` < `${b}/` ? -1 : 1;
}
