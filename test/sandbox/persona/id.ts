/**
 * Persona's ids, `inq_` and 24 letters and digits. Each tells the sandbox which inquiry it belongs to and which of its
 * objects it names: two words say that under a keyed permutation, two are a checksum. So there is no table of ids.
 */
import { permute, unpermute } from "../id.ts";
import { hash } from "../random.ts";

/** Prefixes as Persona writes them. `file` is the sandbox's own, for the names of files, which have no prefix. */
export const KINDS = [
  ...["inq", "act", "doc", "docf", "ver", "self", "iqse", "dev", "rep", "case", "cscm"],
  ...["evt", "itmpl", "itmplv", "vtmpl", "vtmplv", "acttp", "ctmpl", "cqueue", "rptp"],
  ...["api", "env", "org", "req", "file"],
] as const;

export type Kind = string;

export interface Place {
  readonly kind: Kind;
  /** The index of the inquiry; of an account, that of its first inquiry. */
  readonly index: number;
  /** Which one of several. */
  readonly at: number;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"; // without 0, I, O and l
const LETTERS = 6; // 58^6 exceeds 2^32

function letters(word: number): string {
  let out = "";
  for (let left = word, i = 0; i < LETTERS; i++, left = Math.floor(left / ALPHABET.length)) {
    out = ALPHABET[left % ALPHABET.length]! + out;
  }
  return out;
}

function word(text: string): number {
  let sum = 0;
  for (const letter of text) sum = sum * ALPHABET.length + ALPHABET.indexOf(letter);
  return sum;
}

const keyOf = (seed: number, kind: Kind) => hash(seed, 200, ...Buffer.from(kind));

/** The 24 characters after the prefix. */
export function bareId(seed: number, kind: Kind, index: number, at = 0): string {
  const key = keyOf(seed, kind);
  const first = permute(index, key);
  const words = [first, permute(at, key ^ first), hash(key, 1, index, at), hash(key, 2, index, at)];
  return words.map(letters).join("");
}

export function personaId(seed: number, kind: Kind, index: number, at = 0): string {
  return `${kind}_${bareId(seed, kind, index, at)}`;
}

/** The place that a bare id names, or undefined if this sandbox never made it. */
export function placeOfBare(seed: number, kind: Kind, bare: string): Place | undefined {
  if (!/^[1-9A-HJ-NP-Za-km-z]{24}$/.test(bare)) return undefined;
  const key = keyOf(seed, kind);
  const first = word(bare.slice(0, LETTERS));
  const index = unpermute(first, key);
  const at = unpermute(word(bare.slice(LETTERS, 2 * LETTERS)), key ^ first);
  return bareId(seed, kind, index, at) === bare ? { kind, index, at } : undefined;
}

export function placeOf(seed: number, id: string): Place | undefined {
  const [kind = "", bare = ""] = id.split("_");
  return KINDS.some((known) => known === kind) ? placeOfBare(seed, kind, bare) : undefined;
}
