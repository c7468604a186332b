/** The files of a session: which there are, their metadata, and the bytes. */
import { type FileBody, FileStore, type FileStyle } from "../files.ts";
import { addComment } from "../png.ts";
import { drawSelfie } from "../selfie.ts";
import { checksOf, documentOf } from "./checks.ts";
import { course, personOf } from "./course.ts";
import { placeOf, stripeId } from "./id.ts";
import type { FileObject } from "./wire.ts";
import type { World } from "./world.ts";

/** Each attempt has pictures of its own: pages from 1, and the selfie. */
const PER_ATTEMPT = 8;
const SELFIE = 5;
export const frontOf = (attempt: number) => PER_ATTEMPT * attempt + 1;
export const selfieOf = (attempt: number) => PER_ATTEMPT * attempt + SELFIE;

/** The document's pages of an attempt; none once they are redacted. */
export function slotsOf(world: World, index: number, attempt: number): number[] {
  if (world.redaction(index) === "redacted") return [];
  return Array.from({ length: documentOf(world, index, attempt).pages }, (_, page) => PER_ATTEMPT * attempt + page + 1);
}

export interface Slot {
  readonly index: number;
  readonly slot: number;
}

export class Shelf {
  readonly #world: World;
  readonly #style: FileStyle;
  readonly #store: FileStore;
  readonly #sizes = new Map<string, number>();
  #portrait: Buffer | undefined;

  constructor(world: World, style: FileStyle) {
    this.#world = world;
    this.#style = style;
    this.#store = new FileStore(world.seed, style);
  }

  find(id: string): Slot | undefined {
    const place = placeOf(this.#world.seed, "file", id);
    if (!place || !this.#world.has(place.index)) return undefined;
    const attempt = Math.floor(place.at / PER_ATTEMPT);
    if (attempt >= course(this.#world, place.index).attempts.length) return undefined;
    const slots = slotsOf(this.#world, place.index, attempt);
    if (slots.length > 0 && checksOf(this.#world, place.index).selfie) slots.push(selfieOf(attempt));
    return slots.includes(place.at) ? { index: place.index, slot: place.at } : undefined;
  }

  metadata({ index, slot }: Slot, url: (id: string) => string | null): FileObject {
    const id = stripeId(this.#world.seed, "file", index, slot);
    const selfie = slot % PER_ATTEMPT === SELFIE;
    const size = this.#sizes.get(id) ?? this.body({ index, slot }).size;
    this.#sizes.set(id, size);
    return {
      id,
      object: "file",
      created: course(this.#world, index).attempts[Math.floor(slot / PER_ATTEMPT)]! - 10,
      expires_at: null,
      filename: `${selfie ? "selfie" : "document"}.png`,
      purpose: selfie ? "selfie" : "identity_document_downloadable",
      size,
      title: null,
      type: "png",
      url: url(id),
    };
  }

  body({ index, slot }: Slot): FileBody {
    const id = stripeId(this.#world.seed, "file", index, slot);
    const attempt = Math.floor(slot / PER_ATTEMPT);
    if (slot % PER_ATTEMPT === SELFIE) return this.#selfie(index, `${id} ${attempt}`);
    const person = personOf(this.#world, index);
    return this.#store.body({
      file: { id, page: slot % PER_ATTEMPT },
      person,
      document: documentOf(this.#world, index, attempt),
      recaptured: attempt + 7 * (index - person.index), // a second session has pictures of its own
    });
  }

  #selfie(index: number, comment: string): FileBody {
    const { sex, birth, index: face } = personOf(this.#world, index);
    let drawn = this.#style.plainImages ? this.#portrait : undefined;
    if (!drawn) {
      drawn = drawSelfie(this.#world.seed, face, sex, birth, 0);
      if (this.#style.plainImages) this.#portrait = drawn;
    }
    const bytes = addComment(drawn, comment);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}
