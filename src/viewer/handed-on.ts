import { dataPath, headerPath, keyOf, NOTE, originalPath, RESEAL, REWRITTEN } from "../bag/layout.ts";
import { HoldfastError } from "../core/error.ts";
import { MAX_HEADER } from "../core/max-header.ts";
import { isInstant } from "../core/timestamp.ts";
import { headerLength } from "../seal/header.ts";
import { type BagFile, MAX_FILES, readSmall } from "./bag-file.ts";
import type { Findings } from "./finding.ts";
import { Json } from "./json.ts";
import type { Contents } from "./manifest.ts";

/** A bag that was handed on to other recipients (docs/FORMAT.md, section 14). */
export interface HandedOn {
  /** When, and to how many keys, according to the bag itself; null where that cannot be read. */
  readonly told: HandOnNote | null;
  /** As it was first made: what its signatures and proofs are about. */
  readonly files: readonly BagFile[];
}

export interface HandOnNote {
  readonly time: string;
  readonly to: readonly string[];
  readonly objects: readonly { readonly path: string; readonly stored: string; readonly here: string }[];
}

const MAX_TOLD = 32 * 1024 ** 2;

export async function handedOn(all: readonly BagFile[], findings: Findings): Promise<HandedOn> {
  const here = new Map(all.map((file) => [file.path, file]));
  const files: BagFile[] = [];
  const used = new Set<string>();
  if (here.has(NOTE)) findings.wrong(NOTE, "Added: a re-encrypted bag has it elsewhere.");

  function original(path: string): BagFile | undefined {
    used.add(path);
    const file = here.get(path);
    if (file === undefined) findings.wrong(path, "Missing: without it the bag proves nothing.");
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
    const { value, failed, words } = await findings.attempt(file.path, () => underFirstHeader(file, header));
    if (value !== null) files.push(value);
    // It is there: it must not be called missing.
    else if (failed === "unchecked")
      files.push({ path: file.path, size: 0, read: () => Promise.reject(new HoldfastError("state", words)) });
  }
  for (const path of REWRITTEN) {
    const file = original(originalPath(path));
    if (file !== undefined) files.push({ ...file, path });
  }
  for (const path of here.keys()) {
    if (path.startsWith("original/") && !used.has(path))
      findings.wrong(path, "Added, or renamed: nothing here belongs to it.");
  }
  const { value: told } = await findings.attempt(RESEAL, async () => {
    const json = Json.parse(await readSmall(here.get(RESEAL)!, MAX_TOLD), RESEAL);
    const to = json.member("to").items(1_000);
    const objects = json
      .member("objects")
      .items(MAX_FILES)
      .map((object) => ({
        path: dataPath(object.member("key").text(500)),
        stored: content(object.member("stored")),
        here: content(object.member("here")),
      }));
    const told = { time: json.member("resealed").text(40), to: to.map((each) => each.text(16)), objects };
    if (!isInstant(told.time) || !told.to.every((each) => /^[0-9a-f]{16}$/.test(each)))
      throw new HoldfastError("malformed", `${RESEAL} is not what reseal writes.`);
    return told;
  });
  return { told, files };
}

function content(json: Json): string {
  return `${json.member("size").count()} ${json.member("sha256").text(64)}`;
}

/** That it tells of the objects as they were, and as they are. */
export function checkTold({ objects }: HandOnNote, here: Contents, made: Contents, findings: Findings): void {
  const is = ({ files, digests }: Contents, path: string) => `${files.get(path)?.size} ${digests.get(path)}`;
  const told = new Map(objects.map((object) => [object.path, object]));
  const paths = new Set([...told.keys(), ...[...here.files.keys()].filter((path) => path.startsWith("data/"))]);
  const unread = ({ files, digests }: Contents, path: string) => files.has(path) && !digests.has(path);
  for (const path of paths) {
    // What could not be read is named already.
    if (unread(here, path) || unread(made, path)) continue;
    if (told.get(path)?.here !== is(here, path) || told.get(path)?.stored !== is(made, path))
      findings.wrong(path, `It differs from what ${RESEAL} says.`);
  }
}

/** The object as it was stored: its first header, and the payload that is here. */
async function underFirstHeader(file: BagFile, header: BagFile): Promise<BagFile> {
  const present = headerLength(await file.read(0, Math.min(file.size, MAX_HEADER)));
  const head = await readSmall(header, MAX_HEADER);
  return {
    path: file.path,
    size: header.size + file.size - present,
    async read(start, end) {
      const first = head.subarray(start, end);
      const [from, to] = [start, end].map((at) => present + Math.max(0, at - head.length));
      const rest = await file.read(from!, to!);
      const bytes = new Uint8Array(first.length + rest.length);
      bytes.set(first);
      bytes.set(rest, first.length);
      return bytes;
    },
    opens: file,
  };
}
