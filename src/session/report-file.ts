import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { fileError } from "../io/file-error.ts";
import { isReportPage, REPORT_START } from "../report/report-page.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Writes the whole page or nothing. Replaces an earlier report of that name, as a monthly job needs. Throws `usage` if
 * something else is there.
 */
export async function writeReport(out: string, page: string): Promise<void> {
  const place = resolve(out);
  // A name that no one can know before, created exclusively: a link there would lead the page elsewhere.
  const partial = `${place}.${randomBytes(4).toString("hex")}.partial`;
  await refuseOtherThanReport(out);
  try {
    await writeFile(partial, page, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") await rm(partial, { force: true });
    throw fileError(cause, out, "written");
  }
  try {
    await refuseOtherThanReport(out);
    await rename(partial, place);
  } catch (cause) {
    await rm(partial, { force: true });
    throw fileError(cause, out, "written");
  }
}

/** Throws `usage` if the path is taken by anything but a report: a config, a key, a folder, a link. */
export async function refuseOtherThanReport(out: string): Promise<void> {
  const place = resolve(out);
  let file: FileHandle | undefined;
  try {
    file = await open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw noReport(out);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(REPORT_START), 0, REPORT_START, 0);
    if (!isReportPage(buffer.toString("utf8", 0, bytesRead))) throw noReport(out);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ELOOP" || code === "EMLINK" || code === "ENXIO") throw noReport(out, cause);
    throw fileError(cause, out, "written");
  } finally {
    await file?.close();
  }
}

function noReport(out: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `${out} is there already and is no report`, {
    hint: "Choose another --out: Holdfast replaces an earlier report, and nothing else.",
    cause,
  });
}
