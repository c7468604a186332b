import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { readingFile } from "../io/file-error.ts";
import { isBagPath, MANIFEST, parseManifest, TAG_MANIFEST } from "./bagit.ts";
import { isLeftFolder, osLeftovers } from "./os-leftovers.ts";
import { refuseOtherThanBag } from "./wrong-choice.ts";

/** The files of a bag. Their names are checked, their bytes are untrusted. */
export interface BagFiles {
  /** Path in the bag to size. */
  readonly sizes: ReadonlyMap<string, number>;
  /** What macOS or Windows left in the folder: not part of the bag, and not looked at. */
  readonly ignored: readonly string[];
  /** Of a path that is there. */
  stream(path: string): AsyncIterable<Uint8Array>;
}

const MAX_FILES = 2_000_000;
/** No tag file is larger, but the manifests. */
const MAX_TAG = 64 * 1024 * 1024;
export const MAX_MANIFEST = 256 * 1024 * 1024;

/** Files below the folder. No links, no names that no bag has, but what a manifest names is always among them. Throws `incomplete`, `usage` for what is no folder. */
export async function readFolder(folder: string): Promise<BagFiles> {
  const sizes = new Map<string, number>();
  const ignored: string[] = [];
  let listed: readonly string[] = [];
  const visit = async (prefix: string): Promise<void> => {
    for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
      const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      if (entry.isDirectory() && isLeftFolder(entry.name) && !listed.some((each) => each.startsWith(`${path}/`))) {
        ignored.push(`${path}/`);
        continue;
      }
      if (entry.isFile() && osLeftovers(path) !== undefined && !listed.includes(path)) {
        ignored.push(path);
        continue;
      }
      if (!isBagPath(path)) throw notAsMade("no bag has a file of this name: it was added, or renamed");
      if (entry.isDirectory()) await visit(path);
      else if (!entry.isFile()) throw notAsMade(`${path} is no file`);
      else if (sizes.size >= MAX_FILES)
        throw new HoldfastError("malformed", `the bag has more than ${MAX_FILES} files`);
      else sizes.set(path, (await lstat(join(folder, path))).size);
    }
  };
  try {
    await refuseOtherThanBag(folder);
    listed = await listedNames(folder);
    await visit("");
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("usage", `${folder} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: "Name the folder of a bag: the one that holds bagit.txt.",
    });
  }
  return { sizes, ignored, stream: (path) => readingFile(join(folder, path)) };
}

/** Names in the bag's lists that could be taken for something left behind. Whether the lists are right is for others. */
async function listedNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const list of [MANIFEST, TAG_MANIFEST]) {
    try {
      const path = join(folder, list);
      if (!(await lstat(path)).isFile() || (await lstat(path)).size > MAX_MANIFEST) continue;
      const listed = parseManifest(list, await readFile(path, "utf8"));
      for (const name of listed.keys()) if (osLeftovers(name) !== undefined) names.push(name);
    } catch {
      // It is missing, or no list: the bag is refused for that.
    }
  }
  return names;
}

export async function readTag(files: BagFiles, path: string, limit = MAX_TAG): Promise<Buffer> {
  const size = files.sizes.get(path);
  if (size === undefined) throw notAsMade(`${path} is missing`);
  if (size > limit) throw new HoldfastError("malformed", `${path} is larger than ${limit} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of files.stream(path)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function notAsMade(what: string): HoldfastError {
  return new HoldfastError("incomplete", `this bag is not intact: ${what}`, {
    hint: "Keep it as it is, and ask for it again.",
  });
}
