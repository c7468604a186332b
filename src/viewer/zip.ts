import { unzipSync } from "fflate";
import { HoldfastError } from "../core/error.ts";
import { type BagFile, isPath, MAX_FILES, MAX_IN_MEMORY, unreadable } from "./bag-file.ts";

const MAX_ZIP = 1024 ** 3;

/**
 * The files of a zip. Sizes and names are what the zip says of itself: all of them are bounded before any is inflated,
 * and fflate inflates into a buffer of the size that was stated.
 */
function zipFiles(zip: Uint8Array): BagFile[] {
  const seen = new Set<string>();
  let total = 0;
  let unpacked: Record<string, Uint8Array>;
  try {
    unzipSync(zip, {
      filter({ name, originalSize }) {
        if (name.endsWith("/")) return false;
        if (!isPath(name) || name === "__proto__") throw malformed("The zip holds a name that leads out of it.");
        if (seen.has(name)) throw malformed("The zip holds two files of one name.");
        seen.add(name);
        total += originalSize;
        if (originalSize > MAX_IN_MEMORY || total > MAX_ZIP || seen.size > MAX_FILES) {
          throw malformed("The zip is too large to open in a browser.");
        }
        return false;
      },
    });
    unpacked = unzipSync(zip, { filter: ({ name }) => seen.has(name) });
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw malformed("The zip file is damaged, has a password, or is not a zip file.");
  }
  return Object.entries(unpacked).map(([path, bytes]) => ({
    path,
    size: bytes.length,
    read: async (start, end) => bytes.subarray(start, end),
  }));
}

export async function readZip(file: File): Promise<BagFile[]> {
  if (file.size > MAX_ZIP) {
    throw malformed("The zip is too large to open in a browser.");
  }
  const bytes = await file.arrayBuffer().catch((cause: unknown) => {
    throw unreadable(cause);
  });
  return zipFiles(new Uint8Array(bytes));
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message, { hint: "Unpack it and choose the folder." });
}
