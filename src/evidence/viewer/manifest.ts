import { HoldfastError } from "../../error.ts";
import { BAGIT, DECLARATION, isBagPath, MANIFEST, parseManifest, TAG_MANIFEST } from "../bag/bagit.ts";
import { NOTE } from "../bag/layout.ts";
import { type BagFile, isLeftBehind } from "./bag-file.ts";
import { digestOf } from "./digest.ts";
import { type Problem, wordsOf } from "./finding.ts";

const MAX_MANIFEST = 32 * 1024 ** 2;

/** The files of a bag against its own lists (RFC 8493): what each one's digest is, and what does not agree. */
export interface Contents {
  readonly files: ReadonlyMap<string, BagFile>;
  /** SHA-256 of every file that could be read. */
  readonly digests: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** Files of a file manager, passed over. */
  readonly leftBehind: readonly string[];
}

export async function checkContents(all: readonly BagFile[], said: (done: number) => void): Promise<Contents> {
  const files = new Map<string, BagFile>();
  const problems: Problem[] = [];
  const leftBehind: string[] = [];
  for (const file of all) {
    if (isLeftBehind(file.path)) leftBehind.push(file.path);
    else if (!isBagPath(file.path))
      problems.push({ path: file.path.slice(0, 200), words: "Added, or renamed: no bag holds such a name." });
    else files.set(file.path, file);
  }
  const digests = new Map<string, string>();
  let done = 0;
  for (const [path, file] of files) {
    try {
      digests.set(path, await digestOf(await file.read()));
    } catch (error) {
      problems.push({ path, words: `It cannot be read. ${wordsOf(error)}` });
    }
    said(++done);
  }

  async function compare(name: string, belongs: (path: string) => boolean): Promise<void> {
    const file = files.get(name);
    if (file === undefined) {
      problems.push({ path: name, words: "Missing: without this list nobody can tell what belongs to the bag." });
      return;
    }
    let listed: ReadonlyMap<string, string>;
    try {
      listed = parseManifest(name, new TextDecoder().decode(await readSmall(file, MAX_MANIFEST)));
    } catch (error) {
      problems.push({ path: name, words: wordsOf(error) });
      return;
    }
    for (const [path, digest] of listed) {
      if (!belongs(path)) problems.push({ path, words: `Listed in ${name}, where it does not belong.` });
      else if (!files.has(path)) problems.push({ path, words: "Missing: the bag lists it, and it is not there." });
      else if (digests.has(path) && digests.get(path) !== digest)
        problems.push({ path, words: "Changed: its digest is not the one the bag lists." });
    }
    for (const path of files.keys()) {
      if (belongs(path) && !listed.has(path))
        problems.push({ path, words: "Added: the bag does not list it. It was put there later." });
    }
  }

  const declaration = files.get(BAGIT);
  if (declaration && new TextDecoder().decode(await readSmall(declaration, 1_000)) !== DECLARATION)
    problems.push({ path: BAGIT, words: "It does not say that this is a BagIt 1.0 bag." });
  if (files.has("fetch.txt"))
    problems.push({ path: "fetch.txt", words: "A sealed bag is whole: it has no files to be fetched elsewhere." });
  const inPayload = (path: string) => path.startsWith("data/");
  await compare(MANIFEST, inPayload);
  await compare(TAG_MANIFEST, (path) => !inPayload(path) && path !== TAG_MANIFEST && path !== NOTE);
  return { files, digests, problems: onePerFile(problems), leftBehind };
}

export async function readSmall(file: BagFile, most: number): Promise<Uint8Array> {
  if (file.size > most) throw new HoldfastError("malformed", "It is far too large for what it is.");
  return file.read();
}

function onePerFile(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}\n${problem.words}`, problem])).values()];
}
