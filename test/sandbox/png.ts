/** PNG (ISO/IEC 15948) with a palette, 8 bits per pixel. */
import { crc32, deflateSync } from "node:zlib";
import { reduceColors } from "./palette.ts";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

const textChunk = (comment: string) => chunk("tEXt", Buffer.from(`Comment\0${comment}`, "latin1"));
const END = chunk("IEND", Buffer.alloc(0));

/** The same picture with one more tEXt chunk. */
export function addComment(png: Buffer, comment: string): Buffer {
  return Buffer.concat([png.subarray(0, -END.length), textChunk(comment), END]);
}

/** `pixels` holds width × height × 3 bytes, row by row. `comment` goes into a tEXt chunk, as Latin-1. */
export function encodePng(width: number, height: number, pixels: Uint8Array, comment: string): Buffer {
  const { palette, indexes } = reduceColors(pixels);
  const rows = Buffer.alloc((width + 1) * height); // each row begins with its filter, 0: none suits a palette best
  for (let y = 0; y < height; y++) rows.set(indexes.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits, palette, deflate, adaptive filters, not interlaced
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    textChunk(comment),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows, { level: 4 })),
    END,
  ]);
}
