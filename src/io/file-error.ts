import { createReadStream } from "node:fs";
import { HoldfastError } from "../core/error.ts";

/** The path is wrong, or Node's permissions forbid it. Another path helps; the disk is fine. */
const MISNAMED: ReadonlySet<string> = new Set([
  ...["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY", "ENAMETOOLONG", "ELOOP", "ERR_ACCESS_DENIED"],
]);
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** There is no room left on the disk, or for this user. */
export function isFull(cause: unknown): boolean {
  return FULL.has(String((cause as NodeJS.ErrnoException | null)?.code));
}

/** Turns a file system error into `usage` if the path is wrong, else `state`. Returns other errors unchanged. */
export function fileError(cause: unknown, path: string, what: "read" | "written", hint?: string): unknown {
  const { code, errno } = cause as NodeJS.ErrnoException;
  if (cause instanceof HoldfastError || code === undefined) return cause;
  if (errno === undefined && code !== "ERR_ACCESS_DENIED") return cause;
  return new HoldfastError(MISNAMED.has(code) ? "usage" : "state", `${path} cannot be ${what} (${code})`, {
    cause,
    hint: hint ?? hintOf(code, what),
  });
}

function hintOf(code: string, what: "read" | "written"): string {
  if (what === "read") return "Check that the file exists, that you can read it, and that its disk works.";
  if (FULL.has(code)) return "The disk is full: free some space, or choose a path on another disk.";
  if (MISNAMED.has(code)) return "Choose a path that does not exist yet, in a folder that exists.";
  return "Choose a path in a folder that you can write to, on a disk that works.";
}

export async function writingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw fileError(cause, path, "written");
  }
}

/** Streams a file. Closes it even if the reader stops early. */
export async function* readingFile(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw fileError(cause, path, "read");
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB: the file of an SQLite database is damaged. */
export function isDamagedDatabase(error: unknown): boolean {
  if (error instanceof HoldfastError) return isDamagedDatabase(error.cause);
  return error instanceof Error && "errcode" in error && [11, 26].includes((error.errcode as number) & 0xff);
}
