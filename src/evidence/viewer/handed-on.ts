import { headerLength, MAX_HEADER } from "../../seal/header.ts";
import { dataPath, headerPath, keyOf, NOTE, originalPath, RESEAL, REWRITTEN } from "../bag/layout.ts";
import { type BagFile, MAX_FILES } from "./bag-file.ts";
import { type Problem, wordsOf } from "./finding.ts";
import { Json } from "./json.ts";
import { type Contents, readSmall } from "./manifest.ts";

/** A bag that was handed on to other recipients (docs/FORMAT.md, section 14). */
export interface HandedOn {
  /** When, and to how many keys, by its own word; null where that cannot be read. */
  readonly told: Told | null;
  /** As it was made: what its signatures and proofs are about. */
  readonly files: readonly BagFile[];
  readonly problems: readonly Problem[];
}

export interface Told {
  readonly time: string;
  readonly to: readonly string[];
  readonly objects: readonly { readonly path: string; readonly stored: string; readonly here: string }[];
}

const MAX_TOLD = 32 * 1024 ** 2;

export async function handedOn(all: readonly BagFile[]): Promise<HandedOn> {
  const here = new Map(all.map((file) => [file.path, file]));
  const problems: Problem[] = [];
  const files: BagFile[] = [];
  const used = new Set<string>();
  if (here.has(NOTE)) problems.push({ path: NOTE, words: "Added: a bag that was handed on has it elsewhere." });

  function original(path: string): BagFile | undefined {
    used.add(path);
    const file = here.get(path);
    if (file === undefined) problems.push({ path, words: "Missing: without it the bag cannot be proven." });
    return file;
  }

  for (const file of all) {
    if (file.path === RESEAL || file.path.startsWith("original/") || REWRITTEN.includes(file.path)) continue;
    if (!file.path.startsWith("data/")) {
      files.push(file);
      continue;
    }
    const header = original(headerPath(keyOf(file.path)));
    if (header === undefined) continue;
    try {
      files.push(await underFirstHeader(file, header));
    } catch (error) {
      problems.push({ path: file.path, words: wordsOf(error) });
    }
  }
  for (const path of REWRITTEN) {
    const file = original(originalPath(path));
    if (file !== undefined) files.push({ path, size: file.size, read: () => file.read() });
  }
  for (const path of here.keys()) {
    if (path.startsWith("original/") && !used.has(path))
      problems.push({ path, words: "Added, or renamed: it belongs to nothing here." });
  }
  try {
    const json = Json.parse(await readSmall(here.get(RESEAL)!, MAX_TOLD), RESEAL);
    const to = json.member("to").items(1_000);
    const objects = json
      .member("objects")
      .items(MAX_FILES)
      .map((object) => ({
        path: dataPath(object.member("key").text(500)),
        ...{ stored: content(object.member("stored")), here: content(object.member("here")) },
      }));
    const told = { time: json.member("resealed").text(40), to: to.map((each) => each.text(16)), objects };
    return { told, files, problems };
  } catch (error) {
    return { told: null, files, problems: [...problems, { path: RESEAL, words: wordsOf(error) }] };
  }
}

function content(json: Json): string {
  return `${json.member("size").count()} ${json.member("sha256").text(64)}`;
}

/** That it tells of the objects as they were, and as they are. */
export function checkTold({ objects }: Told, here: Contents, made: Contents): Problem[] {
  const is = ({ files, digests }: Contents, path: string) => `${files.get(path)?.size} ${digests.get(path)}`;
  const told = new Map(objects.map((object) => [object.path, object]));
  const paths = new Set([...told.keys(), ...[...here.files.keys()].filter((path) => path.startsWith("data/"))]);
  return [...paths]
    .filter((path) => told.get(path)?.here !== is(here, path) || told.get(path)?.stored !== is(made, path))
    .map((path) => ({ path, words: `It is not what ${RESEAL} tells of.` }));
}

/** The object as it was stored: its first header, and the payload that stands here. */
async function underFirstHeader(file: BagFile, header: BagFile): Promise<BagFile> {
  const present = headerLength(await file.read());
  return {
    path: file.path,
    size: header.size + file.size - present,
    async read() {
      const [head, whole] = [await readSmall(header, MAX_HEADER), await file.read()];
      const bytes = new Uint8Array(head.length + whole.length - present);
      bytes.set(head);
      bytes.set(whole.subarray(present), head.length);
      return bytes;
    },
    opens: file,
  };
}
