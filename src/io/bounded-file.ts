import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

export interface BoundedFile {
  /** Undefined if the file is larger than the limit. */
  readonly bytes: Buffer | undefined;
  /** False for a pipe or a device. */
  readonly isRegular: boolean;
}

/** How long to wait for a silent pipe, in ms. */
const PATIENCE = 10_000;
const PAUSE = 20;

/**
 * Reads a small file that a person named. It may be a pipe (`<(envsubst < file)`), a FIFO without a writer, or an
 * endless device. Throws the system's error, or `ETIMEDOUT` for a silent pipe.
 */
export async function readBounded(path: string, limit: number): Promise<BoundedFile> {
  // Opening a FIFO blocks until someone writes, and no signal ends that. So do not block.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const isRegular = (await file.stat()).isFile();
  const buffer = Buffer.alloc(limit + 1);
  let size = 0;
  let waited = 0;
  while (size <= limit) {
    const read = await file.read(buffer, size, buffer.length - size, null).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EAGAIN") throw error;
      if (waited >= PATIENCE) throw Object.assign(new Error("nothing was written"), { code: "ETIMEDOUT", errno: -110 });
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
