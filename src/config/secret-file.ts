import { HoldfastError } from "../core/error.ts";
import { readBounded } from "../io/bounded-file.ts";

/** Longer than any key or password that Holdfast uses: a longer file is the wrong file. */
const MAX_BYTES = 64 * 1024;

/** `env:X is not set`, but `file:./key: there is no file /key`. */
export function aboutSecret(reference: string, what: string): string {
  return /^(is|has|holds) /.test(what) ? `${reference} ${what}` : `${reference}: ${what}`;
}

/** The text of a secret's file. @throws HoldfastError "config", which names the file and never its content. */
export async function readSecretFile(path: string, reference: string): Promise<string> {
  const failure = (what: string, hint: string, cause?: unknown): HoldfastError =>
    new HoldfastError("config", aboutSecret(reference, what), { hint, cause });
  let bytes: Buffer;
  try {
    const read = await readBounded(path, MAX_BYTES);
    if (read.bytes === undefined)
      throw failure(`holds more than ${MAX_BYTES} bytes, so it is not a key`, "point it at the file with the secret");
    bytes = read.bytes;
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw failure(
        `there is no file ${path}`,
        "correct the path. A lookup or log key: for a new vault, run `holdfast init`; for an existing one, restore the file from your backup",
        cause,
      );
    }
    if (code === "EISDIR") throw failure(`${path} is a directory`, "point it at a file", cause);
    throw failure(`cannot read ${path} (${code})`, "let the user that runs Holdfast read it", cause);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw failure("is not UTF-8 text", "store the secret as text", cause);
  }
}
