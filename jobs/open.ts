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
  const text = await readKeyFile(keyFile);
  const opener = new Opener(parseIdentityFile(text, (key) => new Secret(key)));
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

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new HoldfastError("key", `the key file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      mend: "Give the age identity file that age-keygen wrote.",
    });
  }
}
