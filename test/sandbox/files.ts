/** The bytes of a file: a drawn page or a clip. */
import type { Readable } from "node:stream";
import { drawDocument } from "./document.ts";
import type { Document, Person } from "./person.ts";
import { addComment } from "./png.ts";
import { makeVideo } from "./video.ts";

export interface FileBody {
  readonly mediaType: string;
  readonly size: number;
  readonly bytes: Buffer | Readable;
}

/** What a file shows. The id only tells files apart; every provider has its own. */
export interface Drawable {
  readonly file: { readonly id: string; readonly page: number | null };
  readonly person: Person;
  /** Missing for the selfie video. */
  readonly document: Document | undefined;
  readonly recaptured: number;
}

export interface FileStyle {
  readonly videoBytes?: number | undefined;
  /** Draws one page of each kind, and distinguishes the others only by a comment. */
  readonly plainImages?: boolean | undefined;
}

const KEPT = 64; // pages of about 100 kB

/** Recently drawn pages, the latest last: drawing one takes about as long as sending a hundred. */
export class FileStore {
  readonly #seed: number;
  readonly #style: FileStyle;
  readonly #drawn = new Map<string, Buffer>();

  constructor(seed: number, style: FileStyle) {
    this.#seed = seed;
    this.#style = style;
  }

  body(content: Drawable): FileBody {
    const { document, file, recaptured } = content;
    if (!document) return { mediaType: "video/mp4", ...makeVideo(`${file.id} ${recaptured}`, this.#style.videoBytes) };
    const page = file.page ?? 1;
    const key = this.#style.plainImages ? `${document.type} ${page}` : `${file.id} ${recaptured}`;
    let bytes = this.#drawn.get(key);
    this.#drawn.delete(key);
    bytes ??= drawDocument(this.#seed, content.person, document, page, recaptured);
    this.#drawn.set(key, bytes);
    if (this.#drawn.size > KEPT) this.#drawn.delete(this.#drawn.keys().next().value!);
    if (this.#style.plainImages) bytes = addComment(bytes, `${file.id} ${recaptured}`);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}

/** All of its bytes in memory. */
export async function wholeOf({ bytes }: Pick<FileBody, "bytes">): Promise<Buffer> {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.concat((await bytes.toArray()) as Buffer[]);
}
