import { HoldfastError } from "../core/error.ts";

/** What the file system threw, in Holdfast's words. */
export function directoryError(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new HoldfastError("vault-missing", `${what}: no such object`, { cause: error });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ERR_ACCESS_DENIED": // node --permission
      return new HoldfastError("vault-denied", `${what}: the file system refused (${code})`, {
        cause: error,
        hint: "Give this user the right to read and write there.",
      });
    case "ENOSPC":
    case "EDQUOT":
      return new HoldfastError("vault-rejected", `${what}: the disk is full (${code})`, {
        cause: error,
        hint: "Free or add space; nothing was lost, the next run goes on where this one stopped.",
      });
    case "EAGAIN":
    case "EBUSY":
    case "EINTR":
    case "EIO":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
    case "ESTALE":
    case "ETIMEDOUT":
      return new HoldfastError("vault-unavailable", `${what}: ${code}`, { cause: error });
    case undefined:
      // Not the file system's: a defect, to be seen as it is.
      throw error;
    default:
      return new HoldfastError("vault-rejected", `${what}: the file system refused (${code})`, { cause: error });
  }
}
