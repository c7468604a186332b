import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

export interface BoundedFile {
  /** Undefined where there are more bytes than the limit. */
  readonly bytes: Buffer | undefined;
  /** A pipe or a device is none. */
  readonly isRegular: boolean;
}

/** A pipe that says nothing for so long, in ms, is given up. */
const PATIENCE = 10_000;
const PAUSE = 20;

/**
 * A small file that a person named, which may be a pipe (`<(envsubst < file)`), a FIFO that no one writes to, or a
 * device without an end. Throws what the system says; `ETIMEDOUT` for a pipe that stays silent.
 */
export async function readBounded(path: string, limit: number): Promise<BoundedFile> {
  // To open a FIFO waits for someone who writes, and no signal ends that; so it must not wait.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const isRegular = (await file.stat()).isFile();
  const buffer = Buffer.alloc(limit + 1);
  let size = 0;
  let waited = 0;
  while (size <= limit) {
    const read = await file.read(buffer, size, buffer.length - size, null).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EAGAIN") throw error;
      if (waited >= PATIENCE) throw Object.assign(new Error("nothing was written"), { code: "ETIMEDOUT" });
      return undefined;
    });
    if (read === undefined) {
      await delay(PAUSE);
      waited += PAUSE;
      continue;
    }
    if (read.bytesRead === 0) return { bytes: buffer.subarray(0, size), isRegular };
    size += read.bytesRead;
    waited = 0;
  }
  return { bytes: undefined, isRegular };
}
