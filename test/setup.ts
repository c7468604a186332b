import { chmodSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { type Ceph, installed, PACKAGES, startCeph } from "./servers/ceph.ts";

/** The system's disk in memory, and how much of it must be free: a whole run takes less than half of that. */
const MEMORY = "/dev/shm";
const ROOM = 4 * 1024 ** 3;

let ceph: Ceph | undefined;
let folder: string | undefined;

/**
 * Has all tests work in memory where there is room (TMPDIR names another place): what the program asks the disk to have
 * written for good, thousands of times, is most of what the suite would wait for. Then starts the real S3 server once for
 * the whole run (HOLDFAST_TEST_S3 names one that runs already). Where it cannot be had, the tests that need it are left
 * out and one line says so; in CI that is a failure.
 */
export async function globalSetup(): Promise<void> {
  if (!process.env.TMPDIR && freeIn(MEMORY) > ROOM) {
    folder = mkdtempSync(join(MEMORY, "holdfast-tests-"));
    // As /tmp is: some tests run the program as another user.
    chmodSync(folder, 0o1777);
    process.env.TMPDIR = folder;
  }
  if (process.env.HOLDFAST_TEST_S3) return;
  if (!installed()) {
    const list = PACKAGES.join(" ");
    if (process.env.CI) throw new Error(`CI must run every test: of ${list} some are missing`);
    console.error(`left out: the tests on Ceph RGW. To include all tests: apt-get install ${list}`);
    return;
  }
  ceph = await startCeph();
  process.env.HOLDFAST_TEST_S3 = ceph.endpoint;
}

export async function globalTeardown(): Promise<void> {
  ceph?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function freeIn(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
