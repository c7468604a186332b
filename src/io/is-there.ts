import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { fileError } from "./file-error.ts";

/** For `stat(path).catch(noFile)`: undefined if nothing exists there. Throws every other error. */
export function noFile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

/** What exists at a path, or undefined. Throws `usage` or `state` if it cannot check. */
export async function fileAt(path: string): Promise<Stats | undefined> {
  return stat(path)
    .catch(noFile)
    .catch((cause: unknown) => {
      throw fileError(cause, path, "read");
    });
}
