import { HoldfastError } from "../../error.ts";

/** One file of a bag, wherever it was dropped from. Name and bytes are untrusted. */
export interface BagFile {
  /** From the bag's folder down, with `/`. */
  readonly path: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
  /** Of an object that was handed on: what stands here in its place, under a header for other recipients. */
  readonly opens?: BagFile;
}

/** More than a bag of a thousand people has. The bounds keep a hostile one from exhausting the browser. */
export const MAX_FILES = 50_000;
export const MAX_FILE = 512 * 1024 ** 2;

const MAX_PATH = 500;

/** Whether a name can be meant: relative, no way out, nothing invisible. */
export function isPath(path: string): boolean {
  const parts = path.split("/");
  return (
    path.length <= MAX_PATH &&
    !/[\p{Cc}\\]/u.test(path) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

/** What file managers leave in folders they show. It says nothing about the bag. */
export function isLeftBehind(path: string): boolean {
  return /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini)$/.test(path) || path.startsWith("__MACOSX/");
}

/** The bag among the files dropped: it begins where `bagit.txt` lies, also inside another folder. */
export function findBag(files: readonly BagFile[]): BagFile[] {
  const roots = files
    .filter(({ path }) => /(^|\/)bagit\.txt$/.test(path) && !isLeftBehind(path))
    .map(({ path }) => path.slice(0, -"bagit.txt".length));
  const depth = (root: string) => root.split("/").length;
  const least = Math.min(...roots.map(depth));
  const [root, second] = roots.filter((found) => depth(found) === least);
  if (root === undefined) {
    throw new HoldfastError("malformed", "This is not a bag: there is no bagit.txt in it.", {
      mend: "Choose the folder that holds bagit.txt, data and evidence, or the zip it came in.",
    });
  }
  if (second !== undefined) {
    throw new HoldfastError("malformed", "There is more than one bag in there.", { mend: "Open one at a time." });
  }
  return files
    .filter(({ path }) => path.startsWith(root))
    .map((file) => ({ path: file.path.slice(root.length), size: file.size, read: () => file.read() }));
}
