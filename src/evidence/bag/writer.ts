import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Signer, signNote } from "../../audit/note.ts";
import { createDurable, writeDurable, writingOut } from "../../durable.ts";
import { HoldfastError } from "../../error.ts";
import { BAG_INFO, BAGIT, DECLARATION, formatInfo, formatManifest, MANIFEST, TAG_MANIFEST } from "./bagit.ts";
import { dataPath, NOTE, noteText } from "./layout.ts";
import { Unfinished } from "./unfinished.ts";

/** An object of the vault on its way into a bag, and what it must be. */
export interface Payload {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Writes a bag, which appears in its place when it is whole. Throws `usage` where the place is taken, `state` where it
 * cannot be written, `incomplete` for an object that is not as it was logged.
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

  /** One object, as it comes; each once. */
  async object({ key, size, sha256 }: Payload, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    if (this.#data.has(dataPath(key))) return;
    // What has another size is another content, however long it is.
    const written = await this.#stream(dataPath(key), await read(), size);
    if (written.size !== size || written.sha256 !== sha256) {
      throw new HoldfastError("incomplete", `${key} is not what the log says was stored`, {
        mend: "Run verify --read-data 100. Earlier versions of it may be in the vault.",
      });
    }
  }

  /** An object under another header than it was stored with: what it is now is seen as it is written. */
  resealed(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Omit<Payload, "key">> {
    return this.#stream(dataPath(key), bytes, Number.POSITIVE_INFINITY);
  }

  async #stream(path: string, bytes: AsyncIterable<Uint8Array>, most: number): Promise<Omit<Payload, "key">> {
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
    await createDurable(file, measured());
    const sha256 = hash.digest("hex");
    this.#data.set(path, sha256);
    this.#bytes += size;
    return { size, sha256 };
  }

  async tag(path: string, content: Uint8Array | string): Promise<void> {
    this.#tags.set(path, await this.#write(path, content));
  }

  /** Manifests, signature, and the bag's own name: it is whole. Whoever hands a bag on has no key to sign it with. */
  async finish(info: readonly (readonly [string, string])[], signer: Signer | undefined): Promise<void> {
    await this.tag(BAGIT, DECLARATION);
    await this.tag(BAG_INFO, formatInfo([...info, ["Payload-Oxum", `${this.#bytes}.${this.#data.size}`]]));
    await this.tag(MANIFEST, formatManifest(this.#data));
    const digest = await this.#write(TAG_MANIFEST, formatManifest(this.#tags));
    if (signer) await this.#write(NOTE, signNote(noteText(signer.name, digest), [signer]));
    await this.#folder.finish();
  }

  /** What there is of it is removed. */
  async abandon(): Promise<void> {
    await this.#folder.abandon();
  }

  async #write(path: string, content: Uint8Array | string): Promise<string> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const place = await this.#place(path);
    await writing(() => writeDurable(place, bytes));
    return createHash("sha256").update(bytes).digest("hex");
  }

  async #place(path: string): Promise<string> {
    const place = join(this.#folder.path, path);
    await writing(() => mkdir(dirname(place), { recursive: true, mode: 0o700 }));
    return place;
  }
}

const writing = <T>(work: () => Promise<T>): Promise<T> => writingOut("the bag", work);
