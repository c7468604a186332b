import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HoldfastError } from "../core/error.ts";

/** Used instead of the config's folder if the config came through a pipe and has no folder. */
export const NO_FOLDER = "";

/**
 * An absolute path. Relative ones are resolved against `folder`, the config file's folder, so that it does not matter
 * where Holdfast is started. Undefined if the text cannot be a path.
 * @throws HoldfastError "config" for a relative path without a folder.
 */
export function resolvePath(text: string, folder: string): string | undefined {
  if (text.trim() === "" || text !== text.trim() || text.includes("\0")) return undefined;
  // No shell expands this, so a tilde would become a folder of that name.
  if (text.startsWith("~")) return undefined;
  if (folder === NO_FOLDER && !isAbsolute(text)) {
    throw new HoldfastError("config", "a config read from a pipe or device cannot have relative paths", {
      hint: "write the absolute path, or save the config as a file",
    });
  }
  return resolve(folder, text);
}

/** `file:/absolute`, `file:./relative` or `file:///a%20url`. Undefined for anything else. */
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

/** Whether one path contains the other, or both are the same. Both absolute. */
export function pathsOverlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
