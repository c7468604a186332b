import { mkdirSync } from "node:fs";
import { HoldfastError } from "../core/error.ts";

/** Makes a folder that only this user can look into, and those above it. Throws `state` with the system's code. */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new HoldfastError("state", `cannot make the folder ${path} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      hint: "Check that nothing on its path is a file or a link that leads nowhere, that you may write there, and that there is room.",
    });
  }
}
