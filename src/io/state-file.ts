import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** A small file in the state directory; undefined where there is none, or none that can be read. */
export function readState<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Replaces it as a whole. It is a help only: a crash may leave the one before. */
export function writeState(path: string, value: unknown): void {
  makePrivateFolder(dirname(path));
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new HoldfastError("state", `cannot write ${path} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: "Check the state directory: space and rights. Nothing is lost.",
    });
  }
}
