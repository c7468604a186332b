import { createHash, type Hash } from "node:crypto";
import type { StoredFile } from "../audit/entry.ts";
import { hasCode } from "../error.ts";
import type { FileRef } from "../identity.ts";
import type { RecordFile, WithheldFile } from "../record/record.ts";
import { fileKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import type { Run } from "./context.ts";
import { storeSealed } from "./store.ts";

/** What became of one file: for the record, and for the log. */
export type FileOutcome =
  | { readonly record: RecordFile; readonly logged: StoredFile; readonly bytes: number }
  | { readonly withheld: WithheldFile };

/** Fetches, seals and stores one file as a stream. One that the vault has is neither fetched nor stored again. */
export async function exportFile(
  run: Run,
  identity: string,
  subject: string,
  ref: FileRef,
  lock: Lock,
): Promise<FileOutcome> {
  const { id, resource, type, page } = ref;
  const key = fileKey(subject, run.tokens.file(id, ref.updated));
  const before = run.catalog.file(key);
  if (before) {
    const { mediaType, storedWith } = before;
    return {
      record: { id, resource, type, page, mediaType, size: null, sha256: null, storedWith, key },
      logged: before,
      bytes: 0,
    };
  }
  let plain: Tap | undefined;
  let mediaType = "application/octet-stream";
  try {
    const stored = await storeSealed(
      run,
      key,
      async () => {
        const fetched = await run.source.file(identity, ref);
        mediaType = fetched.mediaType;
        plain = new Tap(fetched.bytes);
        return run.sealer.sealStream(plain);
      },
      lock,
    );
    const { size, sha256 } = plain!.result();
    return {
      record: { id, resource, type, page, mediaType, size, sha256, key },
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
    return { size: this.#size, sha256: this.#hash.digest("hex") };
  }
}
