import { rm } from "node:fs/promises";
import { HoldfastError } from "../core/error.ts";
import { openDurable } from "./durable-file.ts";
import { fileError } from "./file-error.ts";

/**
 * A file that only this user can read, on the disk when this resolves. What is there already, a link included, stays as
 * it is. Throws `usage` where the path is taken or named wrongly, `state` where it cannot be written; then nothing is there.
 */
export async function createFile(path: string, content: string): Promise<void> {
  try {
    const file = await openDurable(path, "create");
    try {
      await file.writeFile(content);
    } catch (error) {
      // Half of it would be taken for the whole.
      await rm(path);
      throw error;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === "EEXIST" ? taken(path, cause) : fileError(cause, path, "written");
  }
}

/** For whoever can say so before there is anything to write. */
export function taken(path: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `${path} is there already`, {
    hint: "Name another --out: nothing is ever written over.",
    cause,
  });
}
