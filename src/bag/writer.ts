import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { type Signer, signNote } from "../audit/note.ts";
import { HoldfastError } from "../core/error.ts";
import { createDurable, writeDurable } from "../io/durable-file.ts";
import { writingFile } from "../io/file-error.ts";
import { Unfinished } from "../io/unfinished-folder.ts";
import {
  BAG_INFO,
  BAGIT,
  DECLARATION,
  formatInfo,
  formatManifest,
  isBagPath,
  MANIFEST,
  TAG_MANIFEST,
} from "./bagit.ts";
import { bagNoteText, dataPath, NOTE } from "./layout.ts";
import { checkBag } from "./reader.ts";

/** An object of the vault on its way into a bag, and what it must be. */
export interface PayloadObject {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Writes a bag, which appears in its place when it is whole and checks. Throws `usage` where the place is taken, `state`
 * where it cannot be written, `incomplete` for an object that is not as it was logged, `malformed` for a path that no
 * reader of bags would take.
 */
export class BagWriter {
  readonly #folder: Unfinished;
  readonly #data = new Map<string, string>();
  readonly #tags = new Map<string, string>();
  #bytes = 0;

  private constructor(folder: Unfinished) {
    this.#folder = folder;
  }

  static async begin(out: string): Promise<BagWriter> {
    return new BagWriter(await Unfinished.folder(out));
  }

  /** Bytes and files of payload so far. */
  get payload(): { readonly bytes: number; readonly files: number } {
    return { bytes: this.#bytes, files: this.#data.size };
  }

  /** One object, as it comes; each once. One that failed on the way leaves nothing, and may be given again. */
  async object({ key, size, sha256 }: PayloadObject, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    if (this.#data.has(dataPath(key))) return;
    // What has another size is another content, however long it is.
    const written = await this.#stream(dataPath(key), await read(), size);
    if (written.size !== size || written.sha256 !== sha256) {
      throw new HoldfastError("incomplete", `${key} is not what the log says was stored`, {
        hint: "Run `holdfast verify --read-data 100`. Earlier versions of it may be in the vault.",
      });
    }
  }

  /** An object under another header than it was stored with: what it is now is seen as it is written. */
  resealed(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Omit<PayloadObject, "key">> {
    return this.#stream(dataPath(key), bytes, Number.POSITIVE_INFINITY);
  }

  async #stream(path: string, bytes: AsyncIterable<Uint8Array>, most: number): Promise<Omit<PayloadObject, "key">> {
    const hash = createHash("sha256");
    let size = 0;
    async function* measured(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        size += chunk.length;
        if (size > most) break;
        hash.update(chunk);
        yield chunk;
      }
    }
    const file = await this.#place(path);
    try {
      await writingFile(file, () => createDurable(file, measured()));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    const sha256 = hash.digest("hex");
    this.#data.set(path, sha256);
    this.#bytes += size;
    return { size, sha256 };
  }

  async tag(path: string, content: Uint8Array | string): Promise<void> {
    this.#tags.set(path, await this.#write(path, content));
  }

  /**
   * Manifests, signature, and the bag's own name: it is complete. Holdfast checks what it made before
   * anyone else does: a bag that fails gets no name. Someone who hands a bag on has no key to sign it with.
   * @param vkey the log's public key that the bag is checked with
   */
  async finish(
    info: readonly (readonly [string, string])[],
    { signer, vkey }: { readonly signer?: Signer; readonly vkey: string },
  ): Promise<void> {
    await this.tag(BAGIT, DECLARATION);
    await this.tag(BAG_INFO, formatInfo([...info, ["Payload-Oxum", `${this.#bytes}.${this.#data.size}`]]));
    await this.tag(MANIFEST, formatManifest(this.#data));
    const digest = await this.#write(TAG_MANIFEST, formatManifest(this.#tags));
    if (signer) await this.#write(NOTE, signNote(bagNoteText(signer.name, digest), [signer]));
    await checkBag(this.#folder.path, vkey);
    await this.#folder.finish();
  }

  /** What there is of it is removed. */
  async abandon(): Promise<void> {
    await this.#folder.abandon();
  }

  async #write(path: string, content: Uint8Array | string): Promise<string> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const place = await this.#place(path);
    await writingFile(place, () => writeDurable(place, bytes));
    return createHash("sha256").update(bytes).digest("hex");
  }

  async #place(path: string): Promise<string> {
    const place = resolve(this.#folder.path, path);
    if (!isBagPath(path) || !place.startsWith(`${this.#folder.path}${sep}`)) {
      throw new HoldfastError(
        "malformed",
        "a file of this bag has a name that leads out of the bag, or that no bag has",
      );
    }
    await writingFile(place, () => mkdir(dirname(place), { recursive: true, mode: 0o700 }));
    return place;
  }
}
