import { mkdirSync, type Stats } from "node:fs";
import { HoldfastError } from "../core/error.ts";
import { isFull } from "./file-error.ts";

/** Makes a folder that only this user can read, and its parents. Throws `state` with the system's code. */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new HoldfastError("state", `cannot make the folder ${path} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: isFull(cause)
        ? "The disk is full: free or add space."
        : "Check that no part of its path is a file or a dangling link, and that you can write there.",
    });
  }
}

/** Whether a file belongs to this user or to root. True on systems without file owners (Windows). */
export const isOurs = ({ uid }: Stats): boolean =>
  uid === 0 || process.geteuid === undefined || uid === process.geteuid();
