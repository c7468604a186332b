import { osLeftovers } from "../bag/os-leftovers.ts";
import { HoldfastError } from "../core/error.ts";

/** One file of a bag, wherever it was dropped from. Name and bytes are untrusted. */
export interface BagFile {
  /** From the bag's folder down, with `/`. */
  readonly path: string;
  readonly size: number;
  /** The bytes from `start` to before `end`. Throws `state` where they cannot be read here: nothing against the bag. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Of an object that was handed on: what is here in its place, under a header for other recipients. */
  readonly opens?: BagFile;
}

/** More than a bag of a thousand people has. The bounds keep a hostile one from exhausting the browser. */
export const MAX_FILES = 50_000;
/** Held in memory at once. Larger files are checked in pieces, and opened on the command line. */
export const MAX_IN_MEMORY = 512 * 1024 ** 2;

const MAX_PATH = 500;

/** Whether a name stays inside of the folder. */
export function isPath(path: string): boolean {
  const parts = path.split("/");
  return (
    path.length <= MAX_PATH &&
    !path.includes("\\") &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

/** The bag among the files dropped: it begins where `bagit.txt` lies, also inside another folder. */
export function findBag(files: readonly BagFile[]): BagFile[] {
  const named = files.filter(({ path }) => /(^|\/)bagit\.txt$/.test(path));
  const own = named.filter(({ path }) => osLeftovers(path) === undefined);
  const roots = (own.length > 0 ? own : named).map(({ path }) => path.slice(0, -"bagit.txt".length));
  const depth = (root: string) => root.split("/").length;
  const least = Math.min(...roots.map(depth));
  const [root, second] = roots.filter((found) => depth(found) === least);
  if (root === undefined) {
    throw new HoldfastError("malformed", "This is not a bag: there is no bagit.txt in it.", {
      hint: "Choose the folder that holds bagit.txt, data and evidence, or the zip it came in.",
    });
  }
  if (second !== undefined) {
    throw new HoldfastError("malformed", "There is more than one bag in there.", { hint: "Open one at a time." });
  }
  return files
    .filter(({ path }) => path.startsWith(root))
    .map((file) => ({ ...file, path: file.path.slice(root.length) }));
}

/** All of a file. Throws `malformed` for one that is larger than what it is said to be ever is. */
export async function readSmall(file: BagFile, most: number): Promise<Uint8Array> {
  if (file.size > most) throw new HoldfastError("malformed", "It is far too large for what it is.");
  return file.read(0, file.size);
}

/** The browser or the disk did not give it: gone, without the right, changed while it was read, too little memory. */
export function unreadable(cause: unknown): HoldfastError {
  const why = cause instanceof Error ? ` (${cause.name})` : "";
  return new HoldfastError("state", `It could not be read here${why}.`, { cause });
}
