import { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";
import { readBounded } from "../io/bounded-file.ts";
import { fileError } from "../io/file-error.ts";
import { Opener, parseIdentityFile } from "../seal/open.ts";

/** In bytes. An identity file has a few lines for each key. */
const MAX_KEY_FILE = 64 * 1024;

/** @param path an age identity file, in age-keygen's format */
export async function openKeyFile(path: string): Promise<Opener> {
  try {
    const { bytes } = await readBounded(path, MAX_KEY_FILE);
    return new Opener(parseIdentityFile(bytes?.toString("utf8") ?? "", (key) => new Secret(key)));
  } catch (cause) {
    if (cause instanceof HoldfastError && cause.code === "key")
      throw new HoldfastError("key", `${path}: ${cause.message}`, { cause, hint: cause.hint });
    throw fileError(cause, path, "read", "Give the age identity file that age-keygen or `holdfast keygen` wrote.");
  }
}
