import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { writeDurable } from "../io/durable-file.ts";
import { writingFile } from "../io/file-error.ts";
import { Unfinished } from "../io/unfinished-folder.ts";
import { bytes } from "../observe/format.ts";

/** Bytes of a trial file: a disk without room for them has no room for a certificate. */
const TRIAL = 64 * 1024;
/** Bytes of a certificate for each log entry in it, roughly: the entry, and the hashes that prove it. */
const PER_ENTRY = 2_000;

/**
 * Tries whether a certificate can be written there, and leaves nothing behind: before anything is destroyed for it.
 * Throws `usage` where the place is taken or named wrongly, `state` where it cannot be written.
 */
export async function tryPlace(out: string): Promise<void> {
  try {
    const trial = await Unfinished.folder(out);
    try {
      await writingFile(resolve(out), () => writeDurable(join(trial.path, "trial"), Buffer.alloc(TRIAL)));
    } finally {
      await trial.abandon();
    }
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    const { code, message, hint } = cause;
    throw new HoldfastError(code, [...message.split("\n"), "nothing was destroyed"], {
      cause,
      hint: hint?.split("\n"),
    });
  }
}

/** Throws `state` where there is surely too little room for a certificate of so many log entries. */
export async function refuseNarrow(out: string, entries: number): Promise<void> {
  const needed = entries * PER_ENTRY;
  const { bavail, bsize } = await statfs(dirname(resolve(out)));
  if (bavail * bsize >= needed) return;
  throw new HoldfastError(
    "state",
    `the certificate will have about ${bytes(needed)}, and ${bytes(bavail * bsize)} are free there`,
    { hint: "Nothing was destroyed. Make room there, or name an --out on another disk." },
  );
}
