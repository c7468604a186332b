import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { isOurs } from "../io/private-folder.ts";

/** Where a command looks for the config without `--config`, in this order, relative to the current folder. */
export const PLACES = ["holdfast.yaml", "config/holdfast.yaml", "/etc/holdfast/holdfast.yaml"];

/** The first that exists. */
export function foundConfig(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

/**
 * Like `foundConfig`, but throws `config` if no file exists, or if another user may have put it there: a config says which
 * files are sent to which host, so root must not use one that it finds in /tmp.
 */
export function defaultConfig(): string {
  const found = foundConfig();
  if (found === undefined) {
    throw new HoldfastError("config", `no config file found: looked for ${PLACES.join(", ")}`, {
      hint: "Create one with `holdfast new`, or pass yours with --config.",
    });
  }
  if (isOurs(statSync(found)) || isSafeFolder(dirname(resolve(found)))) return found;
  throw new HoldfastError("config", `${found} belongs to another user of this machine`, {
    hint: `Check who wrote it. If you trust it, pass --config ${found}.`,
  });
}

/** Whether only this user and root can put files there. */
function isSafeFolder(path: string): boolean {
  const folder = statSync(path);
  return isOurs(folder) && (folder.mode & 0o022) === 0;
}
