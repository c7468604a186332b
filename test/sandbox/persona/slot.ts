/** The files of an inquiry: which there are, their names, and the bytes. */
import { type FileBody, FileStore, type FileStyle } from "../files.ts";
import { addComment } from "../png.ts";
import { drawSelfie } from "../selfie.ts";
import { course, personOf } from "./course.ts";
import { bareId, placeOfBare } from "./id.ts";
import type { World } from "./world.ts";

/** Pages are 4 × document + page, pages from 1. */
export const page = (document: number, number: number) => 4 * document + number;
export const LEFT = 20;
export const CENTER = 21;
export const RIGHT = 22;
export const VIDEO = 23;
/** A picture that an agent attached, to a case or in a field of the inquiry. */
export const ATTACHED = 30;
const TURN: Readonly<Record<number, number>> = { [LEFT]: -0.9, [CENTER]: 0, [RIGHT]: 0.9, [ATTACHED]: 0.3 };
const CAPTURES = 64; // a name holds the slot and, above it, how often it was captured again

export interface Slot {
  readonly index: number;
  readonly slot: number;
}

export class Shelf {
  readonly #world: World;
  readonly #style: FileStyle;
  readonly #store: FileStore;
  readonly #sizes = new Map<string, number>();
  readonly #portraits = new Map<number, Buffer>();

  constructor(world: World, style: FileStyle) {
    this.#world = world;
    this.#style = style;
    this.#store = new FileStore(world.seed, style);
  }

  /** A new capture is a new file with a new name. */
  name({ index, slot }: Slot): string {
    const { recaptured } = this.#world.fate(index);
    const extension = slot === VIDEO ? "mp4" : "png";
    return `${bareId(this.#world.seed, "file", index, slot + CAPTURES * recaptured)}.${extension}`;
  }

  /** The file of that name, if there still is one. */
  find(name: string): Slot | undefined {
    const place = placeOfBare(this.#world.seed, "file", name.split(".")[0]!);
    if (!place || !this.#world.has(place.index)) return undefined;
    const found = { index: place.index, slot: place.at % CAPTURES };
    if (this.#world.childrenRedacted(place.index) !== undefined || this.name(found) !== name) return undefined;
    return course(this.#world, place.index).captured === undefined ? undefined : found;
  }

  size(slot: Slot): number {
    const name = this.name(slot);
    const known = this.#sizes.get(name) ?? this.body(slot).size;
    this.#sizes.set(name, known);
    return known;
  }

  body({ index, slot }: Slot): FileBody {
    const { fate, base } = course(this.#world, index);
    const person = personOf(this.#world, index);
    const id = this.name({ index, slot });
    const recaptured = fate.recaptured + 7 * (index - base); // a second inquiry has pictures of its own
    const turn = TURN[slot];
    if (turn !== undefined) return this.#portrait(index, slot, `${id} ${recaptured}`);
    if (slot === VIDEO) return this.#store.body({ file: { id, page: null }, person, document: undefined, recaptured });
    const document = person.documents[Math.floor(slot / 4)]!;
    return this.#store.body({ file: { id, page: slot % 4 }, person, document, recaptured });
  }

  #portrait(index: number, slot: number, comment: string): FileBody {
    const { sex, birth, index: face } = personOf(this.#world, index);
    let drawn = this.#style.plainImages ? this.#portraits.get(slot) : undefined;
    if (!drawn) {
      drawn = drawSelfie(this.#world.seed, face, sex, birth, TURN[slot]!);
      if (this.#style.plainImages) this.#portraits.set(slot, drawn);
    }
    const bytes = addComment(drawn, comment);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}
