/**
 * Checkpoints (C2SP tlog-checkpoint): the log's size and root as the text of a signed note.
 *
 *     <origin>
 *     <size, decimal>
 *     <root, base64>
 *     [<extension>…]
 *
 * Holdfast writes no extensions. Those it reads are kept, because they are signed with the rest.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseDecimal, parseText } from "./canonical.ts";
import { emptyRoot, HASH_SIZE } from "./merkle.ts";
import { MAX_NOTE, openNote, type Signer, signNote, type Verifier } from "./note.ts";

export interface Checkpoint {
  /** Which log: a line that is not empty. */
  readonly origin: string;
  /** Leaves in the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Opaque lines after the third, none of them empty. Absent or empty means none. */
  readonly extensions?: readonly string[];
}

/** The note text. "malformed" for a checkpoint that could not be read back as itself. */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  const lines = [origin, String(size), Buffer.from(root).toString("base64"), ...extensions];
  if (lines.some((line) => line.includes("\n"))) throw malformed("A checkpoint's line has a line feed");
  const text = lines.map((line) => `${line}\n`).join("");
  parseCheckpoint(text);
  return text;
}

/** Untrusted text to a checkpoint. "malformed" unless it is what formatCheckpoint would write. */
export function parseCheckpoint(text: string): Checkpoint & { readonly extensions: readonly string[] } {
  const lines = parseText(text, MAX_NOTE).split("\n");
  if (lines.pop() !== "") throw malformed("A checkpoint does not end in a line feed");
  const [origin, size, root, ...extensions] = lines;
  if (origin === undefined || size === undefined || root === undefined || lines.includes("")) {
    throw malformed("A checkpoint is not three or more lines, none of them empty");
  }
  const hash = parseBase64(root);
  if (hash.length !== HASH_SIZE) throw malformed(`A checkpoint's root is not ${HASH_SIZE} bytes`);
  return { origin, size: parseDecimal(size), root: hash, extensions };
}

/** The signed note of a checkpoint. Every key's name must be the origin; two sign where one hands over to the other. */
export function signCheckpoint(checkpoint: Checkpoint, ...signers: readonly Signer[]): string {
  if (!signers.every(({ name }) => name === checkpoint.origin)) {
    throw malformed("The log key's name is not the checkpoint's origin");
  }
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Opens an untrusted checkpoint of the log `origin`. A key of that name among `verifiers` must have signed
 * it; other keys given (witnesses) are checked where they signed, but do not suffice. "malformed" for bytes
 * that do not parse; "unverified" for a signature that fails or lacks, another log's checkpoint, or an empty
 * log with the root of another tree.
 */
export function openCheckpoint(
  input: Uint8Array | string,
  origin: string,
  verifiers: Iterable<Verifier>,
): ReturnType<typeof parseCheckpoint> {
  const note = openNote(input, verifiers);
  if (!note.verified.some((s) => s.name === origin)) throw unverified("The log's key did not sign the checkpoint");
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) throw unverified("The checkpoint is another log's");
  if (checkpoint.size === 0 && !emptyRoot.every((byte, i) => byte === checkpoint.root[i])) {
    throw unverified("The checkpoint's root is not that of the empty tree");
  }
  return checkpoint;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}

function unverified(message: string): HoldfastError {
  return new HoldfastError("unverified", message);
}
