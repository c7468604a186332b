import { createReadStream, createWriteStream } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Secret } from "../src/config/secret.ts";
import { HoldfastError } from "../src/error.ts";
import { Opener, parseIdentityFile } from "../src/seal/open.ts";

/**
 * Decrypts one sealed record or file for the holder of a private key. The output appears only when the whole of it has
 * been authenticated; on stdout it is written as it is authenticated, chunk by chunk.
 */
export async function openSealed(sealed: string, keyFile: string, out: string | undefined): Promise<void> {
  const opener = await openKeyFile(keyFile);
  await stat(sealed).catch((cause: unknown) => {
    throw new HoldfastError("usage", `there is no file ${sealed}`, {
      cause,
      mend: "Give the path of a sealed .age file.",
    });
  });
  const plain = Readable.from(await opener.openStream(createReadStream(sealed)), { objectMode: false });
  if (out === undefined) {
    await pipeline(plain, process.stdout, { end: false });
    return;
  }
  const partial = `${out}.partial`;
  try {
    await pipeline(plain, createWriteStream(partial, { flags: "wx", mode: 0o600 }));
    await rename(partial, out);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** @param path an age identity file, as age-keygen writes it */
export async function openKeyFile(path: string): Promise<Opener> {
  try {
    return new Opener(parseIdentityFile(await readFile(path, "utf8"), (key) => new Secret(key)));
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("key", `the key file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      mend: "Give the age identity file that age-keygen wrote.",
    });
  }
}
