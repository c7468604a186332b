import { chmodSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** The system's disk in memory, and how much of it must be free: a whole run takes less, 1.2 GB of it to build the image. */
const MEMORY = "/dev/shm";
const ROOM = 4 * 1024 ** 3;
const FOLDERS = join(MEMORY, "holdfast-tests-");

/**
 * Makes all tests of this run work in memory, where there is room and TMPDIR names no other place. What the program asks the
 * disk to have written for good, thousands of times, is much of what the suite would wait for. What is killed in a test is
 * a process, never the machine.
 */
export function workInMemory(): void {
  if (process.env.TMPDIR || freeIn(MEMORY) < ROOM) return;
  const folder = mkdtempSync(FOLDERS);
  // As /tmp is: some tests run the program as another user.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
}

/** For tests of doctor, which warns of a state in memory, and of Chromium, where no folder below /dev can be dropped. */
export function workOnDisk(): void {
  if (process.env.TMPDIR?.startsWith(FOLDERS)) delete process.env.TMPDIR;
}

function freeIn(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
