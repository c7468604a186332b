import { createHash } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Signer, signNote } from "../../audit/note.ts";
import { createDurable, isThere, openDurable, writingOut } from "../../durable.ts";
import { HoldfastError } from "../../error.ts";
import { BAG_INFO, BAGIT, DECLARATION, formatInfo, formatManifest, MANIFEST, TAG_MANIFEST } from "./bagit.ts";
import { dataPath, NOTE, noteText } from "./layout.ts";

/** An object of the vault on its way into a bag, and what it must be. */
export interface Payload {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Writes a bag beside its place, under a name that says it is not whole, and puts it there when it is. Throws `usage`
 * where the place is taken, `state` where it cannot be written, `incomplete` for an object that is not as it was logged.
 */
export class BagWriter {
  readonly #out: string;
  readonly #partial: string;
  readonly #data = new Map<string, string>();
  readonly #tags = new Map<string, string>();
  #bytes = 0;

  private constructor(out: string) {
    this.#out = resolve(out);
    this.#partial = `${this.#out}.partial`;
  }

  static async begin(out: string): Promise<BagWriter> {
    const writer = new BagWriter(out);
    for (const path of [writer.#out, writer.#partial]) {
      if (!(await isThere(path))) continue;
      throw new HoldfastError("usage", `${path} is there already`, {
        mend:
          path === writer.#out
            ? "Name another --out: a bag is never written over."
            : "An earlier retrieval was ended in it. Remove it, and try again.",
      });
    }
    try {
      // Not its parents: a mistyped path is no wish for folders.
      await mkdir(writer.#partial, { mode: 0o700 });
    } catch (cause) {
      throw new HoldfastError("usage", `${out} cannot be made (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
        mend: "Name a folder with --out that is not there yet, in one that you may write to.",
      });
    }
    return writer;
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
    await writing(() => rename(this.#partial, this.#out));
  }

  /** What there is of it is removed. */
  async abandon(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true });
  }

  async #write(path: string, content: Uint8Array | string): Promise<string> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const place = await this.#place(path);
    await writing(async () => {
      const file = await openDurable(place, "create");
      try {
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
    });
    return createHash("sha256").update(bytes).digest("hex");
  }

  async #place(path: string): Promise<string> {
    const place = join(this.#partial, path);
    await writing(() => mkdir(dirname(place), { recursive: true, mode: 0o700 }));
    return place;
  }
}

const writing = <T>(work: () => Promise<T>): Promise<T> => writingOut("the bag", work);
