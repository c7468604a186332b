import { BAGIT, DECLARATION, isBagPath, MANIFEST, parseManifest, TAG_MANIFEST } from "../bag/bagit.ts";
import { NOTE } from "../bag/layout.ts";
import { osLeftovers } from "../bag/os-leftovers.ts";
import { HoldfastError } from "../core/error.ts";
import { type BagFile, readSmall } from "./bag-file.ts";
import { digestOfFile } from "./digest.ts";
import type { Findings } from "./finding.ts";

const MAX_MANIFEST = 32 * 1024 ** 2;

/** The files of a bag against its own lists (RFC 8493): what each one's digest is. */
export interface Contents {
  readonly files: ReadonlyMap<string, BagFile>;
  /** SHA-256 of every file that could be read. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Without what macOS or Windows left in the folder, which is `ignored`. What a list of the bag names is never left out. */
export async function passOver(all: readonly BagFile[]): Promise<{ files: BagFile[]; ignored: string[] }> {
  const listed = new Set<string>();
  for (const name of [MANIFEST, TAG_MANIFEST]) {
    try {
      for (const path of (await readList(name, all.find(({ path }) => path === name)!)).keys()) listed.add(path);
    } catch {
      // It is missing, cannot be read, or is not a list: that is found and reported where it is compared.
    }
  }
  const files: BagFile[] = [];
  const ignored = new Set<string>();
  for (const file of all) {
    const left = listed.has(file.path) ? undefined : osLeftovers(file.path);
    if (left === undefined) files.push(file);
    else ignored.add(left);
  }
  return { files, ignored: [...ignored] };
}

export async function checkContents(
  all: readonly BagFile[],
  findings: Findings,
  said: (done: number, of: BagFile, bytes: number) => void,
): Promise<Contents> {
  const files = new Map<string, BagFile>();
  for (const file of all) {
    if (isBagPath(file.path)) files.set(file.path, file);
    else findings.wrong(file.path.slice(0, 200), "Added, or renamed: no bag has a file of this name.");
  }
  const digests = new Map<string, string>();
  let done = 0;
  for (const [path, file] of files) {
    const digest = await findings.attempt(path, () => digestOfFile(file, (bytes) => said(done, file, bytes)));
    if (digest.value !== null) digests.set(path, digest.value);
    said(++done, file, file.size);
  }

  async function compare(name: string, belongs: (path: string) => boolean): Promise<void> {
    const file = files.get(name);
    if (file === undefined) {
      findings.wrong(name, "Missing: without this list no one can tell what belongs to the bag.");
      return;
    }
    const { value: listed } = await findings.attempt(name, () => readList(name, file));
    if (listed === null) return;
    for (const [path, digest] of listed) {
      if (!belongs(path)) findings.wrong(path, `Listed in ${name}, where it does not belong.`);
      else if (!files.has(path)) findings.wrong(path, "Missing: the bag lists it, and it is not there.");
      else if (digests.has(path) && digests.get(path) !== digest)
        findings.wrong(path, "Changed: its SHA-256 differs from the one that the bag lists.");
    }
    for (const path of files.keys()) {
      if (belongs(path) && !listed.has(path))
        findings.wrong(path, "Added: the bag does not list it. It was put there later.");
    }
  }

  const declaration = files.get(BAGIT);
  const declared = declaration && (await findings.attempt(BAGIT, () => readSmall(declaration, 1_000)));
  if (declared?.value && new TextDecoder().decode(declared.value) !== DECLARATION)
    findings.wrong(BAGIT, "It does not say that this is a BagIt 1.0 bag.");
  if (files.has("fetch.txt"))
    findings.wrong("fetch.txt", "A sealed bag is whole: it has no files to be fetched elsewhere.");
  const inPayload = (path: string) => path.startsWith("data/");
  await compare(MANIFEST, inPayload);
  await compare(TAG_MANIFEST, (path) => !inPayload(path) && path !== TAG_MANIFEST && path !== NOTE);
  return { files, digests };
}

/** Throws where the file is missing; `state` where it could not be read, so that nothing is compared with a missing digest. */
export function digestIn({ files, digests }: Contents, path: string): string {
  const digest = digests.get(path);
  if (digest !== undefined) return digest;
  if (files.has(path)) throw new HoldfastError("state", `${path} could not be read here.`);
  throw new HoldfastError("incomplete", `${path} is missing.`);
}

async function readList(name: string, file: BagFile): Promise<ReadonlyMap<string, string>> {
  return parseManifest(name, new TextDecoder().decode(await readSmall(file, MAX_MANIFEST)));
}
