import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../release/bundle.ts";
import { type Ceph, installed, PACKAGES, startCeph } from "./servers/ceph.ts";

let ceph: Ceph | undefined;
let built: string | undefined;

/** Gives all processes of the run one folder for the pictures that they draw (test/sandbox/drawn.ts). */
export function shareDrawings(): void {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-drawings-"));
  process.env.HOLDFAST_TEST_DRAWINGS = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
}

/**
 * Bundles the program that tests start (HOLDFAST_TEST_PROGRAM names one that is there), and starts the real S3 server
 * once for the whole run (HOLDFAST_TEST_S3 names one that runs already). If the server is unavailable, the tests that
 * need it are left out and one line says so; in CI that is a failure.
 */
export async function globalSetup(): Promise<void> {
  if (!process.env.HOLDFAST_TEST_PROGRAM) {
    built = mkdtempSync(join(tmpdir(), "holdfast-program-"));
    // Some tests run it as another user.
    chmodSync(built, 0o755);
    process.env.HOLDFAST_TEST_PROGRAM = (await bundle(join(built, "program"), "split")).main;
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
  if (built) rmSync(built, { recursive: true, force: true });
}
