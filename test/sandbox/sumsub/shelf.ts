/** The files of an applicant: which there are, and their bytes. */
import { type FileBody, FileStore, type FileStyle } from "../files.ts";
import { makePdf } from "../onfido/pdf.ts";
import type { Document } from "../person.ts";
import { addComment } from "../png.ts";
import { drawSelfie } from "../selfie.ts";
import { course, MINUTE, personOf } from "./course.ts";
import { imageId, sumsubId } from "./id.ts";
import type { World } from "./world.ts";

/** What a file shows. A `liveness` is the clip of a face, and a `selfie` its picture. */
export type Slot = "document" | "liveness" | "selfie" | "bill" | "company" | "payment" | "call";

export interface Shown {
  readonly slot: Slot;
  readonly idDocType: string;
  readonly document: Document | undefined;
  /** From 1; undefined if the document has one page. */
  readonly page: number | undefined;
  readonly capture: number;
}

/** `at` of an image: 16 × capture + place. Places from 0 are pages, four for each document; then the others. */
const CAPTURE = 16;
const OTHERS = { 8: "liveness", 9: "selfie", 10: "bill", 11: "company" } as const;
/** `at` of an action's image: from here on. */
const ACTIONS = 512;
const TYPES = { PASSPORT: "PASSPORT", NATIONAL_ID_CARD: "ID_CARD", DRIVERS_LICENSE: "DRIVERS" } as const;
const OTHER_TYPES: Readonly<Record<Slot, string>> = {
  ...{ document: "", liveness: "SELFIE", selfie: "SELFIE", bill: "UTILITY_BILL", company: "COMPANY_DOC" },
  ...{ payment: "PAYMENT_SOURCE", call: "VIDEO_IDENT" },
};

export class Shelf {
  readonly #world: World;
  readonly #style: FileStyle;
  readonly #store: FileStore;
  readonly #portraits = new Map<string, Buffer>();

  constructor(world: World, style: FileStyle) {
    this.#world = world;
    this.#style = style;
    this.#store = new FileStore(world.seed, style);
  }

  /** Every image that was ever sent, also those of earlier attempts. */
  images(index: number): number[] {
    const { captured, fate, isCompany } = course(this.#world, index);
    if (!captured || fate.redacted) return [];
    const pages = personOf(this.#world, index).documents.flatMap(({ pages }, at) =>
      Array.from({ length: pages }, (_, page) => 4 * at + page),
    );
    const places = isCompany
      ? [8, 11]
      : [...pages, 8, ...(index % 3 === 0 ? [9] : []), ...(index % 4 === 1 ? [10] : [])];
    return Array.from({ length: fate.recaptured + 1 }, (_, capture) =>
      places.map((place) => CAPTURE * capture + place),
    ).flat();
  }

  /** Only the last attempt's are active. */
  isActive(index: number, at: number): boolean {
    return Math.floor(at / CAPTURE) === this.#world.fate(index).recaptured;
  }

  /** The actions of an applicant; each has one image. */
  actions(index: number): number[] {
    const { captured, fate } = course(this.#world, index);
    if (fate.redacted) return [];
    return Array.from({ length: (captured && index % 5 === 0 ? 1 : 0) + fate.action }, (_, at) => at);
  }

  imageOf(action: number): number {
    return ACTIONS + action;
  }

  /** Whether there is a recording of a video call yet. */
  isRecorded(index: number): boolean {
    const { called, fate } = course(this.#world, index);
    const { recordingDelay } = this.#world.options;
    return called !== undefined && !fate.redacted && this.#world.now() >= called + 10 * MINUTE + recordingDelay;
  }

  shown(index: number, at: number): Shown {
    const capture = at >= ACTIONS ? 0 : Math.floor(at / CAPTURE);
    const place = at % CAPTURE;
    const slot: Slot = at >= ACTIONS ? "payment" : ((OTHERS as Readonly<Record<number, Slot>>)[place] ?? "document");
    const document = slot === "document" ? personOf(this.#world, index).documents[Math.floor(place / 4)]! : undefined;
    return {
      ...{ slot, capture, document },
      idDocType: document ? TYPES[document.type] : OTHER_TYPES[slot],
      page: document && document.pages > 1 ? (place % 4) + 1 : undefined,
    };
  }

  body(index: number, at: number): FileBody {
    const { slot, document, page, capture } = this.shown(index, at);
    const label = imageId(this.#world.seed, index, at);
    const person = personOf(this.#world, index);
    if (slot === "bill" || slot === "company") {
      const bytes = makePdf(`${slot} ${label} ${person.address}`);
      return { mediaType: "application/pdf", size: bytes.length, bytes };
    }
    if (slot === "selfie" || slot === "payment") return this.#portrait(slot, index, label);
    return this.#store.body({ file: { id: label, page: page ?? null }, person, document, recaptured: capture });
  }

  call(index: number): FileBody {
    const id = `call ${sumsubId(this.#world.seed, "media", index)}`;
    const person = personOf(this.#world, index);
    return this.#store.body({ file: { id, page: null }, person, document: undefined, recaptured: 0 });
  }

  #portrait(slot: Slot, index: number, comment: string): FileBody {
    const { sex, birth } = personOf(this.#world, index);
    let drawn = this.#style.plainImages ? this.#portraits.get(slot) : undefined;
    if (!drawn) {
      drawn = drawSelfie(this.#world.seed, index, sex, birth, slot === "selfie" ? 0 : 0.2);
      if (this.#style.plainImages) this.#portraits.set(slot, drawn);
    }
    const bytes = addComment(drawn, comment);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}
