/**
 * Selfie videos: one checked-in clip (make-selfie.ts), followed by a `free` box that players skip (ISO/IEC 14496-12).
 * The box names the identity, so that all videos differ, and can make a video as long as a test wants.
 */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";

const CLIP = readFileSync(new URL("selfie.mp4", import.meta.url));
const HEADER = 16; // size 1 says that the real size follows as 64 bits
const CHUNK = 64 * 1024;

function boxHeader(size: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(1, 0);
  header.write("free", 4, "latin1");
  header.writeBigUInt64BE(BigInt(size), 8);
  return header;
}

export interface Video {
  readonly size: number;
  readonly bytes: Buffer | Readable;
}

/** At least `bytes` long if that is given; then it is streamed and never completely in memory. */
export function makeVideo(label: string, bytes = 0): Video {
  const note = Buffer.from(`holdfast sandbox selfie ${label}\n`);
  const shortest = CLIP.length + HEADER + note.length;
  if (bytes <= shortest) {
    return { size: shortest, bytes: Buffer.concat([CLIP, boxHeader(HEADER + note.length), note]) };
  }
  const box = bytes - CLIP.length;
  return { size: bytes, bytes: Readable.from(stream(note, box), { objectMode: false, highWaterMark: 4 * CHUNK }) };
}

/** Each chunk of the padding begins with its number, so that parts in the wrong order are detected. */
function* stream(note: Buffer, box: number): Generator<Buffer> {
  yield CLIP;
  yield boxHeader(box);
  yield note;
  let left = box - HEADER - note.length;
  for (let n = 0; left > 0; n++) {
    const chunk = Buffer.alloc(CHUNK, note);
    chunk.writeUInt32BE(n, 0);
    yield left < CHUNK ? chunk.subarray(0, left) : chunk;
    left -= CHUNK;
  }
}
