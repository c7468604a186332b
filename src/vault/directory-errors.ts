import { HoldfastError } from "../core/error.ts";

/** Turns a file system error into a HoldfastError. */
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
        hint: "Free or add space. Nothing was lost: the next run continues where this one stopped.",
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
      // Not a file system error but a bug: keep it visible.
      throw error;
    default:
      return new HoldfastError("vault-rejected", `${what}: the file system refused (${code})`, { cause: error });
  }
}
