import type { Recipients } from "../config/recipients.ts";
import { HoldfastError } from "../core/error.ts";
import type { Opener } from "../seal/open.ts";
import { Rewrapper } from "../seal/rewrap.ts";
import { BAGIT } from "./bagit.ts";
import { readFolder, readTag } from "./folder.ts";
import { headerPath, keyOf, originalPath, RESEAL, REWRITTEN } from "./layout.ts";
import type { SoundBag } from "./reader.ts";
import { headerOf, type Reseal, skipBytes } from "./reseal.ts";
import { BagWriter } from "./writer.ts";

export interface HandOnResult {
  readonly out: string;
  readonly objects: number;
  readonly bytes: number;
  /** Fingerprints of the recipients. */
  readonly to: readonly string[];
}

/**
 * Makes another bag of one that was checked, for other recipients: each object gets another header, its payload stays to
 * the byte. Nothing is decrypted but the file keys. Appears whole or not at all: one object whose header does not open
 * ends it, and is named. A bag that left it out would not check, and one that kept it sealed for others would promise
 * people who get it something that they cannot open.
 */
export async function handOn(
  folder: string,
  { retrieval, data, vkey }: SoundBag,
  { opener, to, out, now }: { opener: Opener; to: Recipients; out: string; now: Temporal.Instant },
  onObject: (done: number, total: number) => void,
): Promise<HandOnResult> {
  const files = await readFolder(folder);
  const before = files.sizes.has(RESEAL);
  const rewrapper = new Rewrapper(opener, to);
  const bag = await BagWriter.begin(out);
  try {
    const objects: Reseal["objects"] = [];
    for (const [path, sha256] of data) {
      const key = keyOf(path);
      const header = await headerOf(files, path);
      const stored = before ? await readTag(files, headerPath(key)) : header;
      const rewrapped = await rewrapper.rewrap(header).catch((cause: unknown) => {
        throw notHandedOn(cause, key);
      });
      await bag.tag(headerPath(key), stored);
      const here = await bag.resealed(key, joined(rewrapped, skipBytes(files.stream(path), header.length)));
      const size = files.sizes.get(path)! - header.length + stored.length;
      objects.push({ key, stored: { size, sha256 }, here });
      onObject(objects.length, data.size);
    }
    for (const path of files.sizes.keys()) if (isKept(path)) await bag.tag(path, await readTag(files, path));
    for (const path of REWRITTEN)
      await bag.tag(originalPath(path), await readTag(files, before ? originalPath(path) : path));
    const resealed = now.toString({ smallestUnit: "second" });
    const reseal: Reseal = { holdfast: "reseal/1", resealed, to: [...to.fingerprints], objects };
    await bag.tag(RESEAL, `${JSON.stringify(reseal, null, 2)}\n`);
    const { bytes } = bag.payload;
    await bag.finish(
      [
        ["Source-Organization", retrieval.client],
        ["External-Identifier", retrieval.case],
        ["External-Description", "Sealed identity records, handed on to other recipients; reseal.json says how"],
        ["Bagging-Date", resealed.slice(0, 10)],
      ],
      { vkey },
    );
    return { out, objects: objects.length, bytes, to: to.fingerprints };
  } catch (error) {
    await bag.abandon();
    throw error;
  }
}

function notHandedOn(cause: unknown, key: string): unknown {
  if (!(cause instanceof HoldfastError)) return cause;
  return new HoldfastError(cause.code, `nothing was handed on, because of ${key}: ${cause.message}`, {
    cause,
    hint: cause.hint ?? "Ask for a bag without that person, and for this one again.",
  });
}

/** Tag files that go on as they are. */
function isKept(path: string): boolean {
  return !path.startsWith("data/") && !path.startsWith("original/") && ![...REWRITTEN, BAGIT, RESEAL].includes(path);
}

async function* joined(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}
