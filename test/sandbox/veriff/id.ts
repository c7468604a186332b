/**
 * Veriff's ids are UUIDs. As in the sandbox of Onfido, the first word says which session an id belongs to and the last
 * one which of its objects it names, each under a keyed permutation. So there is no table of ids.
 */
import { permute, unpermute, uuid } from "../id.ts";
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
  const key = keyOf(seed, kind);
  const first = permute(index, key);
  return uuid(first, hash(key, 1, index, at), hash(key, 2, index, at), permute(at, key ^ first));
}

/** The place of an id of this kind, or undefined if this sandbox never made it. */
export function placeOf(seed: number, kind: Kind, id: string): Place | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return undefined;
  const key = keyOf(seed, kind);
  const first = Number.parseInt(id.slice(0, 8), 16);
  const index = unpermute(first, key);
  const at = unpermute(Number.parseInt(id.slice(-8), 16), key ^ first);
  return veriffId(seed, kind, index, at) === id ? { index, at } : undefined;
}
