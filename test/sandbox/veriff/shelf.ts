/** The media of a session's attempts: which there are, what is said of them, and their bytes. */
import { type FileBody, FileStore, type FileStyle, wholeOf } from "../files.ts";
import { addComment } from "../png.ts";
import { drawSelfie } from "../selfie.ts";
import { course, personOf } from "./course.ts";
import { placeOf, veriffId } from "./id.ts";
import { signatureOf } from "./signature.ts";
import type { World } from "./world.ts";

/** `-pre` is the first capture, before the one that counts. */
const CONTEXTS = [
  ...(["document-front", "document-front-pre", "document-back", "face", "face-pre"] as const),
  ...(["document-and-face", "document-nfc"] as const),
];
export type Context = (typeof CONTEXTS)[number];

/** The number of a medium: 16 × attempt + which context. */
const PER_ATTEMPT = 16;

export interface Medium {
  readonly index: number;
  readonly at: number;
  readonly context: Context;
}

/** A medium as an answer lists it. */
export interface MediumObject {
  readonly id: string;
  readonly name: string;
  readonly context: string;
  /** Veriff says that it is always null. */
  readonly timestamp: null;
  readonly size: number;
  readonly mimetype: string;
  readonly url: string;
  readonly sessionId: string;
  readonly duration?: number;
}

export const kindOf = ({ context }: Pick<Medium, "context">): "images" | "videos" | "nfcDocuments" =>
  context === "document-and-face" ? "videos" : context === "document-nfc" ? "nfcDocuments" : "images";

export class Shelf {
  readonly #world: World;
  readonly #style: FileStyle;
  readonly #store: FileStore;
  readonly #sizes = new Map<string, number>();
  readonly #signatures = new Map<string, string>();
  #portrait: Buffer | undefined;

  constructor(world: World, style: FileStyle) {
    this.#world = world;
    this.#style = style;
    this.#store = new FileStore(world.seed, style);
  }

  of(index: number, attempt: number): Medium[] {
    if (!course(this.#world, index).attempts[attempt]?.captured) return [];
    const [document] = personOf(this.#world, index).documents;
    const isThere: Readonly<Record<Context, boolean>> = {
      "document-front": true,
      "document-front-pre": index % 4 === 1,
      "document-back": document!.pages > 1,
      face: true,
      "face-pre": index % 3 === 0,
      "document-and-face": true,
      "document-nfc": index % 5 === 0 && document!.type === "PASSPORT",
    };
    return CONTEXTS.flatMap((context, slot) =>
      isThere[context] ? [{ index, at: PER_ATTEMPT * attempt + slot, context }] : [],
    );
  }

  /** Undefined if there is no such medium, or no longer. */
  find(id: string): Medium | undefined {
    const place = placeOf(this.#world.seed, "media", id);
    if (!place || !this.#world.has(place.index)) return undefined;
    return this.of(place.index, Math.floor(place.at / PER_ATTEMPT)).find(({ at }) => at === place.at);
  }

  id({ index, at }: Medium): string {
    return veriffId(this.#world.seed, "media", index, at);
  }

  describe(medium: Medium, base: string): MediumObject {
    const id = this.id(medium);
    const size = this.#sizes.get(id) ?? this.body(medium).size;
    this.#sizes.set(id, size);
    return {
      ...{ id, name: medium.context, context: medium.context, timestamp: null, size },
      ...{ mimetype: this.#typeOf(medium), url: `${base}/media/${id}` },
      sessionId: veriffId(this.#world.seed, "session", medium.index),
      ...(kindOf(medium) === "videos" ? { duration: 12 } : {}),
    };
  }

  body(medium: Medium): FileBody {
    const { index, at, context } = medium;
    const person = personOf(this.#world, index);
    const label = this.id(medium);
    const recaptured = Math.floor(at / PER_ATTEMPT);
    if (kindOf(medium) === "videos")
      return this.#store.body({ file: { id: label, page: null }, person, document: undefined, recaptured });
    const [document] = person.documents;
    if (context === "document-nfc") {
      const bytes = Buffer.from(JSON.stringify({ id: label, mrz: document!.mrz, documentNumber: document!.number }));
      return { mediaType: "application/json", size: bytes.length, bytes };
    }
    if (context.startsWith("face")) return this.#face(index, label);
    const page = context === "document-back" ? 2 : 1;
    return this.#store.body({ file: { id: label, page }, person, document, recaptured });
  }

  /** The signature over all bytes of a medium. */
  async signature(medium: Medium, secret: string): Promise<string> {
    const key = `${this.id(medium)} ${secret}`;
    const known = this.#signatures.get(key);
    if (known !== undefined) return known;
    const made = signatureOf(secret, await wholeOf(this.body(medium)));
    this.#signatures.set(key, made);
    return made;
  }

  #typeOf(medium: Medium): string {
    return { images: "image/png", videos: "video/mp4", nfcDocuments: "application/json" }[kindOf(medium)];
  }

  #face(index: number, comment: string): FileBody {
    const { sex, birth } = personOf(this.#world, index);
    let drawn = this.#style.plainImages ? this.#portrait : undefined;
    if (!drawn) {
      drawn = drawSelfie(this.#world.seed, index, sex, birth, 0);
      if (this.#style.plainImages) this.#portrait = drawn;
    }
    const bytes = addComment(drawn, comment);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}
