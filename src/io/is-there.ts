import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { fileError } from "./file-error.ts";

/** For `stat(path).catch(noFile)`: undefined where nothing is there. That it could not be looked at is thrown. */
export function noFile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

/** What is at a path; undefined where nothing is. Throws `usage` or `state` where that cannot be told. */
export async function fileAt(path: string): Promise<Stats | undefined> {
  return stat(path)
    .catch(noFile)
    .catch((cause: unknown) => {
      throw fileError(cause, path, "read");
    });
}
