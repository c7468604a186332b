/**
 * Veriff's ids are UUIDs. As in the sandbox of Onfido, the first word says which session an id belongs to and the last
 * one which of its objects it names, each under a keyed permutation. So there is no table of ids.
 */
import { placedId, placeOfId } from "../id.ts";
import { hash } from "../random.ts";

export const KINDS = ["session", "attempt", "media", "endUser"] as const;
export type Kind = (typeof KINDS)[number];

export interface Place {
  /** The index of the session. */
  readonly index: number;
  /** Which attempt; of media: 16 × attempt + slot. */
  readonly at: number;
}

const keyOf = (seed: number, kind: Kind) => hash(seed, 400, ...Buffer.from(kind));

export function veriffId(seed: number, kind: Kind, index: number, at = 0): string {
  return placedId(keyOf(seed, kind), index, at);
}

/** The place of an id of this kind, or undefined if this sandbox never made it. */
export function placeOf(seed: number, kind: Kind, id: string): Place | undefined {
  return placeOfId(keyOf(seed, kind), id);
}
