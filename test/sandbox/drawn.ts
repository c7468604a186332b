import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/**
 * A picture, drawn once for all processes of a run of the suite: hundreds of sandboxes have the same invented people.
 * HOLDFAST_TEST_DRAWINGS names the run's folder (test/setup.ts). Without it, every process draws for itself.
 *
 * @param of everything that the picture depends on
 */
export function drawnOnce(of: unknown, draw: () => Buffer): Buffer {
  const folder = process.env.HOLDFAST_TEST_DRAWINGS;
  if (!folder) return draw();
  const file = join(folder, createHash("sha256").update(JSON.stringify(of)).digest("hex"));
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const bytes = draw();
  // Never a part of a picture under its name.
  const whole = `${file}.${process.pid}-${threadId}`;
  writeFileSync(whole, bytes);
  renameSync(whole, file);
  return bytes;
}
