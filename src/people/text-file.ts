import { HoldfastError } from "../core/error.ts";
import { readBounded } from "../io/bounded-file.ts";
import { number } from "../observe/format.ts";

export interface TextFile {
  readonly text: string;
  /** The file is not Unicode, so it was read as Windows-1252: non-ASCII letters may be wrong. */
  readonly guessed: boolean;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** How to save a table in a well-defined encoding. */
export const SAVE_AS = "In Excel: File, Save As, CSV UTF-8.";

/** A text written by a person or a spreadsheet. @throws HoldfastError "usage" if it is unreadable or not text. */
export async function readTextFile(path: string): Promise<TextFile> {
  try {
    const { bytes } = await readBounded(path, MAX_BYTES);
    if (bytes === undefined) {
      throw new HoldfastError("usage", `${path} is larger than ${number(MAX_BYTES)} bytes`, { hint: "Split it." });
    }
    return decode(path, bytes);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("usage", `cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: "Check that the file exists and that you can read it.",
    });
  }
}

function decode(path: string, bytes: Uint8Array): TextFile {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  if (encoding === "utf-8" && bytes.includes(0)) {
    throw new HoldfastError("usage", `${path} is not text: it may be a workbook, or UTF-16 without a byte order mark`, {
      hint: `Save it as text. ${SAVE_AS}`,
    });
  }
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), guessed: false };
  } catch (cause) {
    const text = encoding === "utf-8" ? new TextDecoder("windows-1252").decode(bytes) : "";
    // Five bytes are undefined in Windows-1252: a text with one of them has yet another encoding.
    if (text !== "" && !/[\u0080-\u009F]/.test(text)) return { text, guessed: true };
    throw new HoldfastError("usage", `${path} has an unknown encoding (not UTF-8, UTF-16 or Windows-1252)`, {
      cause,
      hint: SAVE_AS,
    });
  }
}
