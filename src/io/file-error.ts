import { createReadStream } from "node:fs";
import { HoldfastError } from "../core/error.ts";

/** The place was named wrongly, or Node is not allowed there: another one helps, the disk is in order. */
const MISNAMED: ReadonlySet<string> = new Set([
  ...["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ENAMETOOLONG", "ELOOP", "ERR_ACCESS_DENIED"],
]);
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What the system said of a file, as `state`, or `usage` where the path was named wrongly. Other errors come back as they are. */
export function fileError(cause: unknown, path: string, what: "read" | "written"): unknown {
  const { code, errno } = cause as NodeJS.ErrnoException;
  if (cause instanceof HoldfastError || code === undefined) return cause;
  if (errno === undefined && code !== "ERR_ACCESS_DENIED") return cause;
  return new HoldfastError(MISNAMED.has(code) ? "usage" : "state", `${path} cannot be ${what} (${code})`, {
    cause,
    hint: hintOf(code, what),
  });
}

function hintOf(code: string, what: "read" | "written"): string {
  if (what === "read") return "Check that the file is there, that you may read it, and that its disk is in order.";
  if (FULL.has(code)) return "There is no room left there: make some, or name an --out on another disk.";
  if (MISNAMED.has(code)) return "Name an --out that is not there yet, in a folder that is.";
  return "Name an --out in a folder that you may write to, on a disk that is in order.";
}

export async function writingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw fileError(cause, path, "written");
  }
}

/** A file's bytes, the end of which is closed whoever stops reading. */
export async function* readingFile(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw fileError(cause, path, "read");
  }
}
