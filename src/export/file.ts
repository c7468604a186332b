import { createHash, type Hash } from "node:crypto";
import type { StoredFile } from "../audit/entry.ts";
import { hasCode } from "../error.ts";
import type { FileRef } from "../identity.ts";
import type { RecordFile, WithheldFile } from "../record/record.ts";
import { mediaTypeOf } from "../source/media-type.ts";
import { fileKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";
import type { Kept } from "./kept.ts";
import { storeSealed } from "./store.ts";

/** What became of one file: for the record, and for the log. */
export type FileOutcome =
  | { readonly record: RecordFile; readonly logged: StoredFile; readonly bytes: number }
  | { readonly withheld: WithheldFile };

/** Fetches, seals and stores one file as a stream. One that the vault has is neither fetched nor stored again. */
export async function exportFile(
  parts: Capturing,
  identity: string,
  subject: string,
  ref: FileRef,
  lock: Lock,
  kept: Kept,
): Promise<FileOutcome> {
  const { id, resource, type, page } = ref;
  const key = fileKey(subject, parts.tokens.file(id, ref.updated));
  const before = kept.file(key);
  if (before && !parts.again) {
    const { mediaType, storedWith } = before;
    return {
      record: { id, resource, type, page, mediaType, size: null, sha256: null, storedWith, key },
      logged: inKnownWords(before, type),
      bytes: 0,
    };
  }
  const fetching = new Fetching(parts, identity, ref);
  try {
    if (before && (await isThere(parts, before))) {
      // Its record is made again and describes it; the sealed file itself stays.
      for await (const _ of await fetching.plain());
      return {
        record: { id, resource, type, page, ...fetching.described(), key },
        logged: inKnownWords(before, type),
        bytes: 0,
      };
    }
    const produce = async () => parts.sealer.sealStream(await fetching.plain());
    const stored = await storeSealed(parts, key, produce, lock, before !== undefined);
    const { mediaType } = fetching.described();
    return {
      record: { id, resource, type, page, ...fetching.described(), key },
      logged: {
        ...{ key, versionId: stored.versionId, size: stored.size, sha256: stored.sha256 },
        ...{ type, mediaType, lockedUntil: lock.until.toString() },
      },
      bytes: stored.size,
    };
  } catch (error) {
    if (hasCode(error, "source-denied")) return { withheld: { id, resource, reason: "forbidden" } };
    if (hasCode(error, "source-missing")) return { withheld: { id, resource, reason: "missing" } };
    throw error;
  }
}

/** Earlier versions of Holdfast logged whatever words the provider used. They are not logged again. */
function inKnownWords(before: StoredFile, type: string): StoredFile {
  return { ...before, type, mediaType: mediaTypeOf(before.mediaType) };
}

/** Whether the vault still holds a file as the log describes it. */
async function isThere({ vault }: Capturing, { key, versionId, size }: StoredFile): Promise<boolean> {
  try {
    return (await vault.head(key, versionId)).size === size;
  } catch (error) {
    // An exporter should have no right to read it: then it is stored once more.
    if (hasCode(error, "vault-missing", "vault-denied", "malformed")) return false;
    throw error;
  }
}

/** One file on its way: fetched as often as it takes, and described by the last time. */
class Fetching {
  readonly #parts: Capturing;
  readonly #identity: string;
  readonly #ref: FileRef;
  #mediaType = "application/octet-stream";
  #plain: Tap | undefined;

  constructor(parts: Capturing, identity: string, ref: FileRef) {
    this.#parts = parts;
    this.#identity = identity;
    this.#ref = ref;
  }

  async plain(): Promise<AsyncIterable<Uint8Array>> {
    const { mediaType, bytes } = await this.#parts.source.file(this.#identity, this.#ref);
    this.#mediaType = mediaType;
    this.#plain = new Tap(bytes);
    return this.#plain;
  }

  /** After the stream has come to its end. */
  described(): { mediaType: string; size: number; sha256: string } {
    return { mediaType: this.#mediaType, ...this.#plain!.result() };
  }
}

/** Measures a stream as it passes. */
class Tap implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash: Hash = createHash("sha256");
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      this.#hash.update(chunk);
      this.#size += chunk.length;
      yield chunk;
    }
  }

  result(): { size: number; sha256: string } {
    return { size: this.#size, sha256: this.#hash.copy().digest("hex") };
  }
}
