/** The files of an applicant: which there are, and their bytes. */
import { type FileBody, FileStore, type FileStyle } from "../files.ts";
import { addComment } from "../png.ts";
import { drawSelfie } from "../selfie.ts";
import { course, hasEvidence, personOf, signatureOf } from "./course.ts";
import { onfidoId } from "./id.ts";
import { makePdf } from "./pdf.ts";
import type { World } from "./world.ts";

/** What a file is: an object's own bytes, or what the chip or the camera gave beside a document. */
export type Slot = "document" | "nfc_face" | "video" | Medium | "frame" | "evidence" | "signed";
export const MEDIA = ["live_photo", "live_video", "motion_capture", "id_photo", "signing_document"] as const;
export type Medium = (typeof MEDIA)[number];

const TURN: Readonly<Partial<Record<Slot, number>>> = { nfc_face: 0.1, live_photo: 0, id_photo: 0.3, frame: -0.2 };
/** `at` of a document: 64 × capture + 4 × document + page, pages from 1. Of other media, it is the capture. */
const CAPTURE = 64;

export const pageAt = (capture: number, document: number, page: number) => CAPTURE * capture + 4 * document + page;
export const captureOf = (at: number) => Math.floor(at / CAPTURE);

export class Shelf {
  readonly #world: World;
  readonly #style: FileStyle;
  readonly #store: FileStore;
  readonly #sizes = new Map<string, number>();
  readonly #portraits = new Map<Slot, Buffer>();

  constructor(world: World, style: FileStyle) {
    this.#world = world;
    this.#style = style;
    this.#store = new FileStore(world.seed, style);
  }

  /** The pages of all documents, or of one: every capture is kept. */
  documents(index: number, only?: number): number[] {
    const { captured, fate } = course(this.#world, index);
    if (captured === undefined) return [];
    const pages = personOf(this.#world, index).documents.flatMap(({ pages }, at) =>
      Array.from({ length: only === undefined || only === at ? pages : 0 }, (_, page) => pageAt(0, at, page + 1)),
    );
    return Array.from({ length: fate.recaptured + 1 }, (_, capture) =>
      pages.map((at) => at + CAPTURE * capture),
    ).flat();
  }

  documentAt(index: number, at: number) {
    const place = at % CAPTURE;
    return { document: personOf(this.#world, index).documents[Math.floor(place / 4)], page: place % 4 };
  }

  media(medium: Medium, index: number): number[] {
    const { captured, run, check, fate } = course(this.#world, index);
    if (captured === undefined) return [];
    const captures = Array.from({ length: fate.recaptured + 1 }, (_, at) => at);
    switch (medium) {
      case "live_photo":
        return captures;
      case "live_video":
        return check ? [0] : [];
      case "motion_capture":
        return run ? [0] : [];
      case "id_photo":
        return index % 4 === 0 ? [0] : [];
      case "signing_document":
        return index % 6 === 0 ? [0] : [];
    }
  }

  /** A passport's chip has a picture; a report says so. */
  hasChip(index: number, at: number): boolean {
    const { document, page } = this.documentAt(index, at);
    return index % 3 === 0 && document?.type === "PASSPORT" && page === 1;
  }

  /** The first document, where it was filmed; its report is of another kind. */
  isFilmed(index: number, at: number): boolean {
    const isFirstPage = at % CAPTURE === pageAt(0, 0, 1);
    return index % 7 === 2 && course(this.#world, index).check !== undefined && isFirstPage;
  }

  hasEvidence(index: number): boolean {
    const { run } = course(this.#world, index);
    const { evidenceDelay } = this.#world.options;
    return run !== undefined && hasEvidence(run.status) && this.#world.now() >= run.updated + evidenceDelay;
  }

  size(slot: Slot, index: number, at: number): number {
    const key = `${slot} ${index} ${at}`;
    const known = this.#sizes.get(key) ?? this.body(slot, index, at).size;
    this.#sizes.set(key, known);
    return known;
  }

  body(slot: Slot, index: number, at: number): FileBody {
    const person = personOf(this.#world, index);
    const label = onfidoId(this.#world.seed, idKind(slot), index, at);
    if (slot in TURN) return this.#portrait(slot, index, `${label} ${slot}`);
    const capture = captureOf(at);
    if (slot === "document") {
      const { document, page } = this.documentAt(index, at);
      return this.#store.body({ file: { id: label, page }, person, document, recaptured: capture });
    }
    if (slot === "evidence" || slot === "signed" || slot === "signing_document") {
      const { run } = course(this.#world, index);
      const bytes = makePdf(`${slot} ${label} ${slot === "evidence" ? `${run?.status} ${run?.updated}` : ""}`);
      return { mediaType: "application/pdf", size: bytes.length, bytes };
    }
    const clip = this.#store.body({
      file: { id: `${label} ${slot}`, page: null },
      ...{ person, document: undefined, recaptured: capture },
    });
    return { ...clip, mediaType: slot === "live_video" ? "video/quicktime" : "video/mp4" };
  }

  #portrait(slot: Slot, index: number, comment: string): FileBody {
    const { sex, birth } = personOf(this.#world, index);
    let drawn = this.#style.plainImages ? this.#portraits.get(slot) : undefined;
    if (!drawn) {
      drawn = drawSelfie(this.#world.seed, index, sex, birth, TURN[slot]!);
      if (this.#style.plainImages) this.#portraits.set(slot, drawn);
    }
    const bytes = addComment(drawn, comment);
    return { mediaType: "image/png", size: bytes.length, bytes };
  }
}

const PATHS: Readonly<Partial<Record<Slot, readonly [plural: string, below: string]>>> = {
  document: ["documents", "download"],
  nfc_face: ["documents", "nfc_face"],
  video: ["documents", "video/download"],
  evidence: ["workflow_runs", "signed_evidence_file"],
};

/** The path of a file below the API's base, with its query. */
export function pathOf(world: World, slot: Slot, index: number, at: number): string {
  const { seed } = world;
  if (slot === "signed") {
    const { kind } = signatureOf(world, index)!;
    const run = onfidoId(seed, "workflow_run", index);
    const name = kind === "qualified" ? "file_id" : "id";
    const file = onfidoId(seed, "signed", index, at);
    return `${kind}_electronic_signature/documents?workflow_run_id=${run}&${name}=${file}`;
  }
  const [plural, below] = PATHS[slot] ?? [`${slot}s`, "download"];
  return `${plural}/${onfidoId(seed, idKind(slot), index, at)}/${below}`;
}

function idKind(slot: Slot) {
  if (slot === "nfc_face" || slot === "video") return "document";
  if (slot === "evidence") return "workflow_run";
  return slot === "frame" ? "live_video" : slot;
}
