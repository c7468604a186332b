import { HoldfastError } from "../../core/error.ts";

/** In errors and metrics, instead of the path: names of files may be personal. */
export const ENTRY = "folder entry";
export const FILE = "folder file";

/** The entry, or a file of it, is not what it must be. */
export function refused(what: string): HoldfastError {
  return new HoldfastError("source-response", `${ENTRY}: ${what}`, {
    hint: "Ask the people who make the drops to correct it; `holdfast folder check` counts what is wrong.",
  });
}

export function changed(): HoldfastError {
  return new HoldfastError("source-response", `${FILE}: it changed while it was read`, {
    hint: "The next run reads it again. If drops arrive slowly, set the source's ready to a marker or a longer time.",
  });
}

/** No such file. */
export function missing(): HoldfastError {
  return new HoldfastError("source-missing", `${FILE}: it is not there`, {
    hint: "Check that its drop is still there and whole.",
  });
}

/** The directory or bucket itself. */
export function noFolder(code: string, place = "what the source's url names"): HoldfastError {
  return new HoldfastError("source-unavailable", `folder: ${place} is not there (${code})`, {
    hint: "Check the source's url, and that it is mounted.",
  });
}

/** A system's error about a file. It has its path, so that it must not be the cause. */
export function lost(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { code = "unknown" } = error as NodeJS.ErrnoException;
  if (code === "ELOOP" || code === "ENXIO") return refused("a path leads through a symbolic link, or to no file");
  if (code === "ENAMETOOLONG") return refused("a path is too long");
  if (code === "EACCES" || code === "EPERM")
    return new HoldfastError("source-denied", `${FILE}: this user may not read it (${code})`, {
      hint: "Let the user that runs Holdfast read everything in the source's folder.",
    });
  return new HoldfastError("source-unavailable", `${FILE}: cannot be read (${code})`, {
    hint: "Check that the source's url exists and is mounted.",
  });
}
