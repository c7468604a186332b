import { hasCode } from "../../core/error.ts";

/**
 * Where drops lie: a directory or a bucket. All paths are below its root, with a slash between steps, and were checked
 * by `insidePath` if they came from a drop. Nothing is ever written.
 *
 * Codes: source-missing (no such file), source-denied, source-unavailable, and source-response for what is no plain
 * file below the root, such as a symbolic link.
 */
export interface Store {
  /** What lies directly in a folder, in any order; nothing if there is no such folder. */
  list(folder: string): AsyncIterable<Item>;
  /** Undefined if there is no such file. */
  stat(path: string): Promise<Stat | undefined>;
  open(path: string): Promise<OpenFile>;
  /**
   * When anything in a folder last changed, and the earliest time of a file in it, in ms since 1970. Throws
   * source-response if its folders lie deeper than `DEEPEST`.
   * @param now a time that a file was given, not one that a system wrote, does not count if it is later than this
   */
  changes(folder: string, now: number): Promise<Changes>;
  close(): Promise<void>;
}

/** How deep folders may lie in a drop. A deeper one is an accident or an attack. */
export const DEEPEST = 64;

export interface Changes {
  /** 0 if there is nothing. */
  readonly last: number;
  /** `Infinity` if there is no file. */
  readonly first: number;
}

export interface Item {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
}

export interface Stat {
  readonly size: number;
  /** Another one, if the content may be another. */
  readonly stamp: string;
}

export interface OpenFile extends Stat {
  /** How much to read at a time, in bytes. */
  readonly chunk: number;
  /** Fewer bytes at its end. */
  read(at: number, length: number): Promise<Buffer>;
  /** Throws source-response if the file is another than when it was opened. */
  confirm(): Promise<void>;
  close(): Promise<void>;
}

/** Whether it is a plain file; what leads elsewhere is not. */
export async function isThere(store: Store, path: string): Promise<boolean> {
  try {
    return (await store.stat(path)) !== undefined;
  } catch (error) {
    if (hasCode(error, "source-response")) return false;
    throw error;
  }
}

/** All bytes. The file must not change meanwhile. */
export async function* chunksOf(file: OpenFile): AsyncGenerator<Buffer> {
  let at = 0;
  while (at < file.size) {
    const bytes = await file.read(at, Math.min(file.chunk, file.size - at));
    if (bytes.length === 0) break;
    at += bytes.length;
    yield bytes;
  }
  await file.confirm();
}

/** Names that are no part of a drop: hidden files, and what systems leave behind. */
export function isLeftover(name: string): boolean {
  return name.startsWith(".") || LEFTOVERS.has(name.toLowerCase());
}

const LEFTOVERS: ReadonlySet<string> = new Set(["__macosx", "thumbs.db", "desktop.ini", "@eadir", "lost+found"]);

export const joined = (...steps: readonly string[]): string => steps.filter((step) => step !== "").join("/");

/** `a/b` of `a/b/c.json`; empty at the top. */
export const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");

/**
 * A path that a drop names, if it can only lead to something below: no `..`, no absolute path, no drive, no separators
 * of Windows.
 */
export function insidePath(text: string): string | undefined {
  const path = text.replace(/^(\.\/)+/, "");
  const isPlain = path.length <= 1_000 && path.isWellFormed() && !/[\\\p{Cc}]|^[A-Za-z]:/u.test(path);
  return isPlain && path.split("/").every((step) => step !== "" && step !== "." && step !== "..") ? path : undefined;
}
