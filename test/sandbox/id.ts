/**
 * Ids that look like random UUIDs, but tell the sandbox which identity they mean: the first 32 bits are the index under
 * a keyed permutation, the rest is a checksum. So a hundred thousand identities need no table from id to index.
 */
import { hash } from "./random.ts";

const ODD_1 = 0x9e3779b1;
const ODD_2 = 0x85ebca77;

/** The inverse of an odd number modulo 2^32, by Newton's iteration: every step doubles the correct low bits. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

const INVERSE_1 = inverse(ODD_1);
const INVERSE_2 = inverse(ODD_2);

/** A permutation of the 32-bit numbers; `unpermute` with the same key is its inverse. */
export function permute(index: number, key: number): number {
  let x = Math.imul(index ^ key, ODD_1);
  x ^= x >>> 16; // its own inverse on 32 bits
  x = Math.imul(x, ODD_2);
  return (x ^ (x >>> 16)) >>> 0;
}

export function unpermute(value: number, key: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, INVERSE_2);
  x ^= x >>> 16;
  return (Math.imul(x, INVERSE_1) ^ key) >>> 0;
}

const hex8 = (word: number) => (word >>> 0).toString(16).padStart(8, "0");

/** Four words as a UUID of version 4, variant 1. */
export function uuid(a: number, b: number, c: number, d: number): string {
  const [x, y, z, w] = [hex8(a), hex8(b), hex8(c), hex8(d)];
  const variant = "89ab"[c & 3]!;
  return `${x}-${y.slice(0, 4)}-4${y.slice(5)}-${variant}${z.slice(1, 4)}-${z.slice(4)}${w}`;
}

export function identityId(seed: number, index: number): string {
  return uuid(permute(index, hash(seed, 1)), hash(seed, 2, index), hash(seed, 3, index), hash(seed, 4, index));
}

/** The index for an identity's id, or undefined if this sandbox never made such an id. */
export function indexOfId(seed: number, id: string): number | undefined {
  if (!/^[0-9a-f]{8}-/.test(id)) return undefined;
  const index = unpermute(Number.parseInt(id.slice(0, 8), 16), hash(seed, 1));
  return identityId(seed, index) === id ? index : undefined;
}

/** Ids inside an identity. They are only looked up below it, so they need not lead back to it. */
export function innerId(seed: number, index: number, ...place: readonly number[]): string {
  const word = (n: number) => hash(seed, 100 + n, index, ...place);
  return uuid(word(0), word(1), word(2), word(3));
}

/** Ids of objects of one kind: the first word says whose it is, the last one which of several. `key` is the kind's. */
export function placedId(key: number, index: number, at: number): string {
  const first = permute(index, key);
  return uuid(first, hash(key, 1, index, at), hash(key, 2, index, at), permute(at, key ^ first));
}

/** Whose an id of this kind is, and which one; undefined if this sandbox never made it. */
export function placeOfId(key: number, id: string): { readonly index: number; readonly at: number } | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return undefined;
  const first = Number.parseInt(id.slice(0, 8), 16);
  const index = unpermute(first, key);
  const at = unpermute(Number.parseInt(id.slice(-8), 16), key ^ first);
  return placedId(key, index, at) === id ? { index, at } : undefined;
}
