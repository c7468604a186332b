/**
 * Signed notes (C2SP signed-note): a text, an empty line, and signatures over the text, by Ed25519.
 *
 *     <text, ends in LF>
 *
 *     — <name> <base64(key ID, 4 bytes || signature)>
 *
 * Notes and keys are untrusted until opened. "malformed" for what does not parse, "unverified" for
 * signatures that do not check; nothing else is thrown. The text of a note means nothing before openNote.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseText } from "./canonical.ts";
import { checkName, type Signer, type Verifier } from "./key.ts";

export { generateKey, parseSigner, parseVerifier, Signer, Verifier } from "./key.ts";

/** Bytes of the largest note. */
export const MAX_NOTE = 1_000_000;
/** Signatures on one note; the specification asks for at least 16. */
export const MAX_SIGNATURES = 100;

/** One signature line. `name` and `id` (8 hex digits) together say which key; `bytes` is without the key ID. */
export interface Signature {
  readonly name: string;
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A note as it is written, nothing checked. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly Signature[];
}

/** A note of which every signature by a known key was checked, and at least one was there. */
export interface OpenedNote {
  readonly text: string;
  /** By known keys, good. */
  readonly verified: readonly Signature[];
  /** By keys that the caller does not know: unchecked, without meaning. */
  readonly unknown: readonly Signature[];
}

const DASH = "\u2014 ";
/** Untrusted bytes to a note. Checks the form only: see openNote. */
export function parseNote(input: Uint8Array | string): Note {
  const all = parseText(input, MAX_NOTE);
  // The text may hold empty lines: the last one ends it.
  const split = all.lastIndexOf("\n\n");
  if (split < 0 || !all.endsWith("\n") || all.length === split + 2) throw malformed("A note has no signatures");
  const lines = all.slice(split + 2, -1).split("\n", MAX_SIGNATURES + 1);
  if (lines.length > MAX_SIGNATURES) throw malformed(`A note has more than ${MAX_SIGNATURES} signatures`);
  return { text: all.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const space = line.indexOf(" ", DASH.length);
  if (!line.startsWith(DASH) || space < 0) throw malformed("A signature line is not of the form '— <name> <base64>'");
  const name = line.slice(DASH.length, space);
  checkName(name);
  const bytes = parseBase64(line.slice(space + 1));
  if (bytes.length < 5) throw malformed("A signature is too short for a key ID");
  return { name, id: bytes.toString("hex", 0, 4), bytes: bytes.subarray(4) };
}

/**
 * Opens an untrusted note with the keys that the caller trusts. Signatures by other keys, also such as share
 * only the name or only the ID with a known one, are not looked at. "unverified" if a known key's signature
 * is bad, if there is none, or if two of the keys that signed cannot be told apart by name and ID.
 */
export function openNote(input: Uint8Array | string, verifiers: Iterable<Verifier>): OpenedNote {
  const note = parseNote(input);
  const known = new Map<string, Verifier | "ambiguous">();
  for (const v of verifiers) known.set(keyOf(v), known.has(keyOf(v)) ? "ambiguous" : v);
  const message = Buffer.from(note.text);
  const verified: Signature[] = [];
  const unknown: Signature[] = [];
  const seen = new Set<string>();
  for (const signature of note.signatures) {
    // A repeated line says nothing new and costs no second check.
    const line = formatSignature(signature);
    if (seen.has(line)) continue;
    seen.add(line);
    const verifier = known.get(keyOf(signature));
    if (verifier === undefined) {
      unknown.push(signature);
      continue;
    }
    if (verifier === "ambiguous") throw unverified("Two known keys have the same name and ID");
    if (!verifier.verify(message, signature.bytes)) throw unverified("A known key's signature does not check");
    verified.push(signature);
  }
  if (verified.length === 0) throw unverified("No known key signed the note");
  return { text: note.text, verified, unknown };
}

/** Signs a text, which ends in LF, with each of the signers in turn; at least one. The result parses. */
export function signNote(text: string, signers: readonly Signer[]): string {
  if (!text.endsWith("\n")) throw malformed("A note's text does not end in a line feed");
  const message = Buffer.from(parseText(text, MAX_NOTE));
  const lines = signers.map((s) => formatSignature({ name: s.name, id: s.id, bytes: s.sign(message) }));
  const note = `${text}\n${lines.map((line) => `${line}\n`).join("")}`;
  parseNote(note); // the bounds on size and count
  return note;
}

function formatSignature({ name, id, bytes }: Signature): string {
  return `${DASH}${name} ${Buffer.concat([Buffer.from(id, "hex"), bytes]).toString("base64")}`;
}

// A name has no plus sign, so no two pairs run together.
function keyOf({ name, id }: { name: string; id: string }): string {
  return `${name}+${id}`;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}

function unverified(message: string): HoldfastError {
  return new HoldfastError("unverified", message);
}
