import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { directoryError } from "./directory-errors.ts";
import { VERSION } from "./directory-note.ts";

/** Names of one key outside its versions, which hold its bytes or may hold them. */
export interface Left {
  readonly key: string;
  readonly paths: readonly string[];
}

/** A link or a file that was under way when its writer died: beside the plain name, and beside the versions. */
const LINK = /\.new-[0-9a-f]{8}$/;
const WRITTEN = /^\.new-[0-9a-f]+$/;

/**
 * Plain names under a prefix, links and files that a crash left half done, key by key; of those beside the versions only
 * where there is no version any more. Keys are untrusted: they are names that lie in the folder.
 */
export async function* leftIn(root: string, prefix: string): AsyncGenerator<Left> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  for await (const { path, entries } of walk(join(root, folder), folder)) {
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const keys = Map.groupBy(names, (name) => `${path}${name.replace(LINK, "")}`);
    for (const [key, of] of keys) {
      if (key.startsWith(prefix)) yield { key, paths: of.map((name) => join(root, path, name)) };
    }
  }
  for await (const { path, entries } of walk(join(root, ".versions", folder), folder)) {
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const written = names.filter((name) => WRITTEN.test(name));
    const key = path.slice(0, -1);
    if (written.length === 0 || !key.startsWith(prefix) || names.some((name) => VERSION.test(name))) continue;
    yield { key, paths: written.map((name) => join(root, ".versions", path, name)) };
  }
}

async function* walk(folder: string, path: string): AsyncGenerator<{ path: string; entries: Dirent[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // Not there, or gone since it was listed.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw directoryError(error, `list ${path}`);
  });
  yield { path, entries };
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    // The vault's inside is walked by itself.
    if (name !== ".versions") yield* walk(join(folder, name), `${path}${name}/`);
  }
}
