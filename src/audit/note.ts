/**
 * Signed notes (C2SP signed-note): a text, an empty line, and signatures over the text, by Ed25519.
 *
 *     <text, ends in LF>
 *
 *     — <name> <base64(key ID, 4 bytes || signature)>
 *
 * Notes and keys are untrusted until opened. Throws `malformed` for input that does not parse, `unverified` for invalid
 * signatures, and nothing else. Do not use a note's text before openNote.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseText } from "./canonical.ts";
import { checkName, type Signer, type Verifier } from "./key.ts";

export { generateKey, parseSigner, parseVerifier, Signer, Verifier } from "./key.ts";

/** The largest note, in bytes. */
export const MAX_SIGNED_NOTE = 1_000_000;
/** Most signatures on one note. The specification requires at least 16. */
export const MAX_SIGNATURES = 100;

/** One signature line. `name` and `id` (8 hex digits) identify the key. `bytes` excludes the key ID. */
export interface Signature {
  readonly name: string;
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A parsed note. Nothing is verified. */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly Signature[];
}

/** A note with at least one signature by a known key, all of which are valid. */
export interface OpenedNote {
  readonly text: string;
  /** Valid signatures by known keys. */
  readonly verified: readonly Signature[];
  /** Signatures by unknown keys: not checked, without meaning. */
  readonly unknown: readonly Signature[];
}

const DASH = "\u2014 ";
/** Parses an untrusted note. Checks only its form: see openNote. */
export function parseSignedNote(input: Uint8Array | string): SignedNote {
  const all = parseText(input, MAX_SIGNED_NOTE);
  // The text may contain empty lines. The last one ends it.
  const split = all.lastIndexOf("\n\n");
  if (split < 0 || !all.endsWith("\n") || all.length === split + 2) throw malformed("the note has no signatures");
  const lines = all.slice(split + 2, -1).split("\n", MAX_SIGNATURES + 1);
  if (lines.length > MAX_SIGNATURES) throw malformed(`the note has more than ${MAX_SIGNATURES} signatures`);
  return { text: all.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const space = line.indexOf(" ", DASH.length);
  if (!line.startsWith(DASH) || space < 0)
    throw malformed("a signature line does not have the form '— <name> <base64>'");
  const name = line.slice(DASH.length, space);
  checkName(name);
  const bytes = parseBase64(line.slice(space + 1));
  if (bytes.length < 5) throw malformed("a signature is too short for a key ID");
  return { name, id: bytes.toString("hex", 0, 4), bytes: bytes.subarray(4) };
}

/**
 * Opens an untrusted note with the keys that the caller trusts. Ignores signatures by other keys, even if a key shares
 * its name or its ID with a known one. Throws `unverified` if a known key's signature is invalid, if no known key
 * signed, or if two known keys share name and ID.
 */
export function openNote(input: Uint8Array | string, verifiers: Iterable<Verifier>): OpenedNote {
  const note = parseSignedNote(input);
  const known = new Map<string, Verifier | "ambiguous">();
  for (const v of verifiers) known.set(keyOf(v), known.has(keyOf(v)) ? "ambiguous" : v);
  const message = Buffer.from(note.text);
  const verified: Signature[] = [];
  const unknown: Signature[] = [];
  const seen = new Set<string>();
  for (const signature of note.signatures) {
    // Check a repeated line only once.
    const line = formatSignature(signature);
    if (seen.has(line)) continue;
    seen.add(line);
    const verifier = known.get(keyOf(signature));
    if (verifier === undefined) {
      unknown.push(signature);
      continue;
    }
    if (verifier === "ambiguous") throw unverified("two known keys have the same name and ID");
    if (!verifier.verify(message, signature.bytes)) throw unverified("the signature of a known key is invalid");
    verified.push(signature);
  }
  if (verified.length === 0) throw unverified("no known key signed the note");
  return { text: note.text, verified, unknown };
}

/** Signs a text that ends in LF with each of the signers, at least one. The result always parses. */
export function signNote(text: string, signers: readonly Signer[]): string {
  if (!text.endsWith("\n")) throw malformed("the note's text does not end in a line feed");
  const message = Buffer.from(parseText(text, MAX_SIGNED_NOTE));
  const lines = signers.map((s) => formatSignature({ name: s.name, id: s.id, bytes: s.sign(message) }));
  const note = `${text}\n${lines.map((line) => `${line}\n`).join("")}`;
  parseSignedNote(note); // checks the limits on size and count
  return note;
}

function formatSignature({ name, id, bytes }: Signature): string {
  return `${DASH}${name} ${Buffer.concat([Buffer.from(id, "hex"), bytes]).toString("base64")}`;
}

// A name contains no plus sign, so the result is unambiguous.
function keyOf({ name, id }: { name: string; id: string }): string {
  return `${name}+${id}`;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}

function unverified(message: string): HoldfastError {
  return new HoldfastError("unverified", message);
}
