import { HoldfastError } from "../core/error.ts";
import { readBounded } from "../io/bounded-file.ts";
import { number } from "../observe/format.ts";

export interface TextFile {
  readonly text: string;
  /** It is in no Unicode encoding, so it was read as Windows-1252: letters beyond ASCII may be wrong. */
  readonly guessed: boolean;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** How to save a table so that nothing is left to guess. */
export const SAVE_AS = "In Excel: File, Save As, CSV UTF-8.";

/** A text that a person wrote, or a spreadsheet. Throws `usage` where it cannot be read, or is no text. */
export async function readTextFile(path: string): Promise<TextFile> {
  try {
    const { bytes } = await readBounded(path, MAX_BYTES);
    if (bytes === undefined) {
      throw new HoldfastError("usage", `${path} is larger than ${number(MAX_BYTES)} bytes`, { hint: "Split it." });
    }
    return decode(path, bytes);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("usage", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

function decode(path: string, bytes: Uint8Array): TextFile {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  if (encoding === "utf-8" && bytes.includes(0)) {
    throw new HoldfastError("usage", `${path} is no text: it may be a workbook, or UTF-16 without its mark`, {
      hint: `Save it as text. ${SAVE_AS}`,
    });
  }
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), guessed: false };
  } catch (cause) {
    const text = encoding === "utf-8" ? new TextDecoder("windows-1252").decode(bytes) : "";
    // Five bytes mean nothing in Windows-1252: with one of these it is yet another encoding.
    if (text !== "" && !/[\u0080-\u009F]/.test(text)) return { text, guessed: true };
    throw new HoldfastError("usage", `${path} is in no encoding that can be told (UTF-8, UTF-16 or Windows-1252)`, {
      cause,
      hint: SAVE_AS,
    });
  }
}
