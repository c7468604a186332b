import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A path of the config, absolute: relative ones are meant from `folder`, the one that holds the config file, so that
 * it does not matter where Holdfast is started. Undefined if it cannot be a path.
 */
export function resolvePath(text: string, folder: string): string | undefined {
  if (text.trim() === "" || text !== text.trim() || text.includes("\0")) return undefined;
  // No shell reads this, so a tilde would become a folder of that name.
  if (text.startsWith("~")) return undefined;
  return resolve(folder, text);
}

/** `file:/absolute`, `file:./relative` or `file:///a%20url`. Undefined if it is none of these. */
export function resolveFileReference(text: string, folder: string): string | undefined {
  const path = text.slice("file:".length);
  if (!path.startsWith("//")) return resolvePath(path, folder);
  try {
    return resolvePath(fileURLToPath(text), folder);
  } catch {
    return undefined;
  }
}

/** Whether one path lies in the other, or they are the same. Both absolute. */
export function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
