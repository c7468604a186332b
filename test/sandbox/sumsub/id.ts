/**
 * Sumsub's ids are 24 hexadecimal characters; those of images are decimal numbers. Each says whose it is and which one,
 * under a keyed permutation, so there is no table of ids.
 */
import { permute, unpermute } from "../id.ts";
import { hash } from "../random.ts";

/** Every kind of object with an id of its own, but images. */
export const KINDS = ["applicant", "inspection", "action", "media", "case", "hit", "attempt"] as const;
export type Kind = (typeof KINDS)[number];

export interface Place {
  /** The index of the applicant. */
  readonly index: number;
  /** Which one of several. */
  readonly at: number;
}

/** Images of one applicant, with those of its actions. */
const IMAGES = 1024;

const keyOf = (seed: number, kind: string) => hash(seed, 400, ...Buffer.from(kind));
const hex8 = (word: number) => word.toString(16).padStart(8, "0");

export function sumsubId(seed: number, kind: Kind, index: number, at = 0): string {
  const key = keyOf(seed, kind);
  const first = permute(index, key);
  return hex8(first) + hex8(permute(at, key ^ first)) + hex8(hash(key, index, at));
}

/** The place of an id of this kind, or undefined if this sandbox never made it. */
export function placeOf(seed: number, kind: Kind, id: string): Place | undefined {
  if (!/^[0-9a-f]{24}$/.test(id)) return undefined;
  const key = keyOf(seed, kind);
  const first = Number.parseInt(id.slice(0, 8), 16);
  const index = unpermute(first, key);
  const at = unpermute(Number.parseInt(id.slice(8, 16), 16), key ^ first);
  return sumsubId(seed, kind, index, at) === id ? { index, at } : undefined;
}

export function imageId(seed: number, index: number, at: number): string {
  if (at >= IMAGES) throw new RangeError(`there is no image ${at}`);
  return String(permute(index, keyOf(seed, "image")) * IMAGES + at);
}

export function imagePlace(seed: number, id: string): Place | undefined {
  if (!/^\d{1,14}$/.test(id)) return undefined;
  const at = Number(id) % IMAGES;
  const index = unpermute(Math.floor(Number(id) / IMAGES), keyOf(seed, "image"));
  return imageId(seed, index, at) === id ? { index, at } : undefined;
}
