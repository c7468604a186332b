import { Secret } from "../config/secret.ts";
import { readBounded } from "../io/bounded-file.ts";
import { fileError } from "../io/file-error.ts";
import { Opener, parseIdentityFile } from "../seal/open.ts";

/** Bytes: an identity file has a line or some for each key. */
const MAX_KEY_FILE = 64 * 1024;

/** @param path an age identity file, as age-keygen writes it */
export async function openKeyFile(path: string): Promise<Opener> {
  try {
    const { bytes } = await readBounded(path, MAX_KEY_FILE);
    return new Opener(parseIdentityFile(bytes?.toString("utf8") ?? "", (key) => new Secret(key)));
  } catch (cause) {
    throw fileError(cause, path, "read", "Give the age identity file that age-keygen wrote.");
  }
}
