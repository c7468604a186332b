import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { BagFile } from "./bag-file.ts";

/** Above this a file is hashed in pieces, in flat memory; below it by the browser's own code, which is faster. */
const WHOLE = 16 * 1024 ** 2;
export const PIECE = 4 * 1024 ** 2;

/** SHA-256 in hex; by the browser's own code where the page may use it. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) return bytesToHex(sha256(bytes));
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}

/** The same of a file of any size. `said` hears how many bytes of a large one were read. */
export async function digestOfFile(file: BagFile, said: (bytes: number) => void = () => {}): Promise<string> {
  if (file.size <= WHOLE) return digestOf(await file.read(0, file.size));
  const state = sha256.create();
  for (let at = 0; at < file.size; at += PIECE) {
    state.update(await file.read(at, Math.min(at + PIECE, file.size)));
    said(Math.min(at + PIECE, file.size));
  }
  return bytesToHex(state.digest());
}
