import { createHash, type Hash } from "node:crypto";
import type { StoredFile } from "../audit/entry.ts";
import { hasCode } from "../core/error.ts";
import type { FileRef } from "../core/identity.ts";
import type { RecordFile, WithheldFile } from "../record/record.ts";
import { mediaTypeOf } from "../source/media-type.ts";
import type { Lock } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";
import type { NamedFile } from "./file-names.ts";
import type { Kept, KeptFile } from "./kept.ts";
import { storeSealed } from "./store.ts";

/** The outcome for one file: for the record, and for the log. */
export type FileOutcome =
  | { readonly record: RecordFile; readonly logged: StoredFile; readonly bytes: number }
  | { readonly withheld: WithheldFile };

/**
 * Fetches, seals and stores one file as a stream. A file that the vault already has is not fetched or stored again,
 * whatever the provider says of it now, unless `again` is set and the vault has lost it.
 */
export async function exportFile(
  parts: Capturing,
  identity: string,
  { ref, key, former, isFormerShared }: NamedFile,
  lock: Lock,
  kept: Kept,
): Promise<FileOutcome> {
  const { id, resource, type, page } = ref;
  const before = kept.file(key) ?? (isFormerShared ? undefined : ofType(kept.file(former), type));
  if (!before && (kept.wasFilePurged(key) || kept.wasFilePurged(former)))
    return { withheld: { id, resource, reason: "purged" } };
  if (before && !(parts.again && (await isLost(parts, before)))) {
    const { key, mediaType, storedWith } = before;
    return {
      // Its digest is in the record it was stored with. This host can open neither that record nor the file.
      record: { id, resource, type, page, mediaType, size: null, sha256: null, storedWith, key },
      logged: inKnownWords(before, type),
      bytes: 0,
    };
  }
  const fetching = new Fetching(parts, identity, ref);
  try {
    const produce = async () => parts.sealer.sealStream(await fetching.plain());
    // Under the key of the lost one, so that readers find it there.
    const stored = await storeSealed(parts, before?.key ?? key, produce, lock, before !== undefined);
    const { mediaType } = fetching.described();
    return {
      record: { id, resource, type, page, ...fetching.described(), key: stored.key },
      logged: {
        key: stored.key,
        versionId: stored.versionId,
        size: stored.size,
        sha256: stored.sha256,
        type,
        mediaType,
        lockedUntil: lock.until.toString(),
      },
      bytes: stored.size,
    };
  } catch (error) {
    if (hasCode(error, "source-denied")) return { withheld: { id, resource, reason: "forbidden" } };
    if (hasCode(error, "source-missing")) return { withheld: { id, resource, reason: "missing" } };
    throw error;
  }
}

/** A file under its former name may have a different type only if one of the two types is unknown. */
function ofType(before: KeptFile | undefined, type: string): KeptFile | undefined {
  const differs = before && before.type !== type && before.type !== "other" && type !== "other";
  return differs ? undefined : before;
}

/** Earlier versions of Holdfast logged any type the provider named. Such types are not logged again. */
function inKnownWords(before: StoredFile, type: string): StoredFile {
  return { ...before, type, mediaType: mediaTypeOf(before.mediaType) };
}

/**
 * Whether the vault has certainly lost a file that the log describes. An exporter should have no right to read objects,
 * so it asks for the lock instead. If neither can be read, the file does not count as lost.
 */
async function isLost({ vault }: Capturing, { key, versionId, size }: StoredFile): Promise<boolean> {
  try {
    return (await vault.head(key, versionId)).size !== size;
  } catch (error) {
    if (hasCode(error, "vault-missing", "malformed")) return true;
    if (!hasCode(error, "vault-denied")) throw error;
  }
  try {
    await vault.lockOf(key, versionId);
    return false;
  } catch (error) {
    if (hasCode(error, "vault-missing")) return true;
    if (hasCode(error, "vault-denied")) return false;
    throw error;
  }
}

/** One file in transit. It may be fetched several times; the last attempt describes it. */
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

  /** Valid after the stream has ended. */
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
