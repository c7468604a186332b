import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HoldfastError } from "../core/error.ts";

/** In place of the config's folder, where the config came through a pipe and lies in none. */
export const NO_FOLDER = "";

/**
 * A path of the config, absolute: relative ones are meant from `folder`, the one that holds the config file, so that
 * it does not matter where Holdfast is started. Undefined if it cannot be a path. Throws `config` for a relative one that
 * begins nowhere.
 */
export function resolvePath(text: string, folder: string): string | undefined {
  if (text.trim() === "" || text !== text.trim() || text.includes("\0")) return undefined;
  // No shell reads this, so a tilde would become a folder of that name.
  if (text.startsWith("~")) return undefined;
  if (folder === NO_FOLDER && !isAbsolute(text)) {
    throw new HoldfastError("config", "a relative path in a config that is a pipe or a device begins nowhere", {
      hint: "write the absolute path, or save the config as a file",
    });
  }
  return resolve(folder, text);
}

/** `file:/absolute`, `file:./relative` or `file:///a%20url`. Undefined if it is none of these. */
export function resolveFileReference(text: string, folder: string): string | undefined {
  const path = text.slice("file:".length);
  if (!path.startsWith("//")) return resolvePath(path, folder);
  const url = URL.parse(text);
  try {
    return url ? resolvePath(fileURLToPath(url), folder) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one path lies in the other, or they are the same. Both absolute. */
export function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
