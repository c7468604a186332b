import { lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import { makePrivateFolder } from "./private-folder.ts";

/** Reads a small file in the state directory. Undefined if it is missing, unreadable or invalid. */
export function readState<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Whether a file in the state directory is there, but cannot be read or is damaged. */
export function isUnreadable(path: string, schema: z.ZodType): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined && readState(path, schema) === undefined;
}

/** Replaces the whole file. After a crash the old one may be back, so it may only hold hints. */
export function writeState(path: string, value: unknown): void {
  makePrivateFolder(dirname(path));
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new HoldfastError("state", `cannot write ${path} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: "Check the state directory's free space and permissions. Nothing is lost.",
    });
  }
}
