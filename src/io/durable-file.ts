import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * File writes that are on disk once they resolve. Uses O_DSYNC, because Node refuses every fsync under its permission
 * model (`--permission`), whatever is allowed. This works with and without it.
 */
const { O_APPEND, O_CREAT, O_DSYNC, O_EXCL, O_TRUNC, O_WRONLY } = constants;
const FLAGS = {
  /** A file that must not exist yet. */
  create: O_CREAT | O_EXCL | O_WRONLY | O_DSYNC,
  /** The same, for appending repeatedly. */
  append: O_CREAT | O_EXCL | O_WRONLY | O_DSYNC | O_APPEND,
  /** A file that may exist. Empties it. */
  replace: O_CREAT | O_TRUNC | O_WRONLY | O_DSYNC,
};

/** Small pieces are buffered up to this many bytes, because each write waits for the disk. */
const GATHERED = 1024 * 1024;

export function openDurable(path: string, how: keyof typeof FLAGS, mode = 0o600): Promise<FileHandle> {
  return open(path, FLAGS[how], mode);
}

/** Writes a file with this content. It is on disk once this resolves. */
export async function writeDurable(
  path: string,
  content: Uint8Array | string,
  how: "create" | "replace" = "create",
): Promise<void> {
  const file = await openDurable(path, how);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

/** The same for a new file, from a stream. */
export async function createDurable(path: string, body: AsyncIterable<Uint8Array>, mode = 0o600): Promise<void> {
  const file = await openDurable(path, "create", mode);
  try {
    for await (const piece of gathered(body)) {
      for (let written = 0; written < piece.length; ) written += (await file.write(piece, written)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

async function* gathered(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    held.push(chunk);
    size += chunk.length;
    if (size < GATHERED) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}

/**
 * Makes the names in a folder durable. If fsync is refused, writes a byte durably to a new file beside them: the
 * journals of ext4 and XFS and ZFS's log keep the order, so that all earlier names are on disk too.
 */
export async function syncFolder(path: string): Promise<void> {
  if (process.permission === undefined) {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return;
  }
  const mark = join(path, `.sync-${randomBytes(6).toString("hex")}`);
  const file = await openDurable(mark, "create");
  try {
    await file.write(Buffer.alloc(1));
  } finally {
    await file.close();
    await rm(mark);
  }
}
