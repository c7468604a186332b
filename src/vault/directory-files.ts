import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { HoldfastError } from "../core/error.ts";
import { noFile } from "../io/is-there.ts";
import { directoryError } from "./directory-errors.ts";

export async function* fileStream(path: string, key: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw directoryError(error, `read ${key}`);
  }
}

/**
 * The index in `versions` of the file at `plain`: a hard link to that version or, if someone copied the directory, the
 * same bytes. `versions.length` if the file does not exist, undefined if it matches no version.
 */
export async function sameFile(plain: string, versions: readonly string[]): Promise<number | undefined> {
  const shown = await lstat(plain).catch(noFile);
  if (!shown) return versions.length;
  if (!shown.isFile()) return undefined;
  for (const [index, path] of versions.entries()) {
    const { ino, dev } = await lstat(path);
    if (ino === shown.ino && dev === shown.dev) return index;
  }
  const digest = await fileDigest(plain);
  for (const [index, path] of versions.entries()) {
    const stored = await lstat(path);
    if (stored.isFile() && stored.size === shown.size && (await fileDigest(path)) === digest) return index;
  }
  return undefined;
}

/** Untrusted: only a regular file can be a version, and opening a pipe would block forever. */
export async function fileSize(path: string, key: string): Promise<number> {
  const found = await lstat(path);
  if (!found.isFile()) throw new HoldfastError("vault-missing", `${key}: not a regular file`);
  return found.size;
}

export async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

export async function isMissing(path: string): Promise<boolean> {
  return (await stat(path).catch(noFile)) === undefined;
}
