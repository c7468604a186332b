/**
 * Checkpoints (C2SP tlog-checkpoint): the log's size and root as the text of a signed note.
 *
 *     <origin>
 *     <size, decimal>
 *     <root, base64>
 *     [<extension>…]
 *
 * Holdfast writes no extensions. It keeps those it reads, because the signature covers them.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseDecimal, parseText } from "./canonical.ts";
import { emptyRoot, HASH_SIZE } from "./merkle.ts";
import { MAX_SIGNED_NOTE, openNote, type Signer, signNote, type Verifier } from "./note.ts";

export interface Checkpoint {
  /** Name of the log: one non-empty line. */
  readonly origin: string;
  /** Leaves in the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Opaque non-empty lines after the third. Undefined or empty means no extensions. */
  readonly extensions?: readonly string[];
}

/** Formats the note text. Throws `malformed` for a checkpoint that would not parse back to itself. */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  const lines = [origin, String(size), Buffer.from(root).toString("base64"), ...extensions];
  if (lines.some((line) => line.includes("\n"))) throw malformed("a line of the checkpoint contains a line feed");
  const text = lines.map((line) => `${line}\n`).join("");
  parseCheckpoint(text);
  return text;
}

/** Parses an untrusted checkpoint. Throws `malformed` unless it is exactly what formatCheckpoint would write. */
export function parseCheckpoint(text: string): Checkpoint & { readonly extensions: readonly string[] } {
  const lines = parseText(text, MAX_SIGNED_NOTE).split("\n");
  if (lines.pop() !== "") throw malformed("the checkpoint does not end in a line feed");
  const [origin, size, root, ...extensions] = lines;
  if (origin === undefined || size === undefined || root === undefined || lines.includes("")) {
    throw malformed("the checkpoint does not have three or more non-empty lines");
  }
  const hash = parseBase64(root);
  if (hash.length !== HASH_SIZE) throw malformed(`the checkpoint's root is not ${HASH_SIZE} bytes`);
  return { origin, size: parseDecimal(size), root: hash, extensions };
}

/** The signed note of a checkpoint. Every key's name must be the origin. Two keys sign when the log changes its key. */
export function signCheckpoint(checkpoint: Checkpoint, ...signers: readonly Signer[]): string {
  if (!signers.every(({ name }) => name === checkpoint.origin)) {
    throw malformed("the log key's name is not the checkpoint's origin");
  }
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Opens an untrusted checkpoint of the log `origin`. A key of that name among `verifiers` must have signed it.
 * Signatures by other given keys (witnesses) are checked too but are not enough. Throws `malformed` for bytes that do
 * not parse; `unverified` for an invalid or missing signature, another log's checkpoint, or an empty log with the wrong
 * root.
 */
export function openCheckpoint(
  input: Uint8Array | string,
  origin: string,
  verifiers: Iterable<Verifier>,
): ReturnType<typeof parseCheckpoint> {
  const note = openNote(input, verifiers);
  if (!note.verified.some((s) => s.name === origin)) throw unverified("the log's key did not sign the checkpoint");
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) throw unverified("the checkpoint belongs to another log");
  if (checkpoint.size === 0 && !emptyRoot.every((byte, i) => byte === checkpoint.root[i])) {
    throw unverified("the checkpoint's root is not the root of the empty tree");
  }
  return checkpoint;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}

function unverified(message: string): HoldfastError {
  return new HoldfastError("unverified", message);
}
