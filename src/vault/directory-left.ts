import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { directoryError } from "./directory-errors.ts";
import { VERSION } from "./directory-note.ts";

/** File names of one key, other than its versions, that may still hold its bytes. */
export interface Left {
  readonly key: string;
  readonly paths: readonly string[];
}

/** What a writer that died may leave: a temporary link beside the plain name, a temporary file beside the versions. */
const LINK = /\.new-[0-9a-f]{8}$/;
const WRITTEN = /^\.new-[0-9a-f]+$/;

/**
 * Lists, key by key, the plain names under a prefix and the temporary links and files that a crash left. Temporary
 * files beside versions are listed only if no version is left. Keys are untrusted: they come from file names.
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
    // Missing, or removed since it was listed.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw directoryError(error, `list ${path}`);
  });
  yield { path, entries };
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    // `.versions` has its own walk above.
    if (name !== ".versions") yield* walk(join(folder, name), `${path}${name}/`);
  }
}
