import { rm } from "node:fs/promises";
import { HoldfastError } from "../core/error.ts";
import { openDurable } from "./durable-file.ts";
import { fileError } from "./file-error.ts";

/**
 * Creates a file that only this user can read. It is on disk once this resolves. Never replaces anything, not even a
 * link. Throws `usage` if the path exists or is wrong, `state` if it cannot write; then it leaves nothing behind.
 */
export async function createFile(path: string, content: string): Promise<void> {
  try {
    const file = await openDurable(path, "create");
    try {
      await file.writeFile(content);
    } catch (error) {
      // A half-written file could pass for a complete one.
      await rm(path);
      throw error;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === "EEXIST"
      ? pathTaken(path, cause)
      : fileError(cause, path, "written");
  }
}

/** The error for a path that exists. Exported for callers that check before they have content. */
export function pathTaken(path: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `${path} already exists`, {
    hint: "Choose another --out: Holdfast never overwrites a file.",
    cause,
  });
}
