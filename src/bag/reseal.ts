import * as z from "zod";
import { key } from "../audit/entry-fields.ts";
import { HoldfastError } from "../core/error.ts";
import { MAX_HEADER } from "../core/max-header.ts";
import { isInstant } from "../core/timestamp.ts";
import { headerLength } from "../seal/header.ts";
import type { Manifest } from "./bagit.ts";
import { type BagFiles, notAsMade } from "./folder.ts";
import { dataPath, headerPath, keyOf, NOTE, originalPath, RESEAL, REWRITTEN } from "./layout.ts";

const content = z.object({ size: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const schema = z.object({
  holdfast: z.literal("reseal/1"),
  /** RFC 3339 UTC; according to the one who handed the bag on. */
  resealed: z.string().refine(isInstant),
  /** Fingerprints of the recipients, as in the log. */
  to: z.array(z.string().regex(/^[0-9a-f]{16}$/)).min(1),
  /** What each object was in the vault, as the log has it, and what it is here. */
  objects: z.array(z.object({ key, stored: content, here: content })),
});

/**
 * `reseal.json`: a bag was handed on to other recipients, by someone who could open it. Its objects have other headers,
 * and the same payloads; `original/` holds what it takes to rebuild the bag as it was first made, and so to prove it.
 */
export type Reseal = z.output<typeof schema>;

/** Untrusted bytes. Throws `malformed`. */
export function parseReseal(bytes: Uint8Array): Reseal {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new HoldfastError("malformed", `${RESEAL} is not what reseal writes`, { cause });
  }
}

/**
 * The bag as it was first made: each object under the header that it had in the vault, and the lists of that time. Throws
 * `incomplete` where something of it is missing, or something was added.
 */
export async function asMade(here: BagFiles): Promise<BagFiles> {
  if (here.sizes.has(NOTE)) throw notAsMade(`${NOTE} was added`);
  const sizes = new Map<string, number>();
  /** Path to where it is now, and to the bytes of its present header. */
  const instead = new Map<string, string>();
  const headers = new Map<string, number>();
  const put = (path: string, from: string): number => {
    instead.set(path, from);
    const size = here.sizes.get(from);
    if (size === undefined) throw notAsMade(`${from} is missing`);
    return size;
  };
  for (const [path, size] of here.sizes) {
    if (path === RESEAL || path.startsWith("original/") || REWRITTEN.includes(path)) continue;
    if (path.startsWith("data/")) {
      const { length: header } = await headerOf(here, path);
      headers.set(path, header);
      sizes.set(path, put(path, headerPath(keyOf(path))) + size - header);
    } else sizes.set(path, size);
  }
  for (const path of REWRITTEN) sizes.set(path, put(path, originalPath(path)));
  const used = new Set(instead.values());
  for (const path of here.sizes.keys())
    if (path.startsWith("original/") && !used.has(path)) throw notAsMade(`${path} was added, or renamed`);
  return {
    sizes,
    ignored: here.ignored,
    async *stream(path) {
      yield* here.stream(instead.get(path) ?? path);
      const header = headers.get(path);
      if (header !== undefined) yield* skipBytes(here.stream(path), header);
    },
  };
}

/** That `reseal.json` tells of the objects as they were, and as they are. */
export function checkReseal(reseal: Reseal, here: ListedFile, made: ListedFile): void {
  const told = new Map(reseal.objects.map((object) => [dataPath(object.key), object]));
  if (told.size !== here.data.size) throw notAsMade(`${RESEAL} tells of other objects than are here`);
  const agrees = ({ files, data }: ListedFile, path: string, told?: z.output<typeof content>): boolean =>
    told?.sha256 === data.get(path) && told?.size === files.sizes.get(path);
  for (const path of here.data.keys()) {
    const object = told.get(path);
    if (agrees(here, path, object?.here) && agrees(made, path, object?.stored)) continue;
    throw notAsMade(`${path} is not what ${RESEAL} tells of`);
  }
}

/** A bag, and its list of the payload. */
interface ListedFile {
  readonly files: BagFiles;
  readonly data: Manifest;
}

/** The header of a sealed object, to the byte. Throws `unverified` where it does not end. */
export async function headerOf(files: BagFiles, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of files.stream(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_HEADER) break;
  }
  const start = Buffer.concat(chunks);
  return start.subarray(0, headerLength(start));
}

/** What comes after so many bytes. */
export async function* skipBytes(bytes: AsyncIterable<Uint8Array>, skip: number): AsyncGenerator<Uint8Array> {
  let left = skip;
  for await (const chunk of bytes) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
