import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { isOurs } from "../io/owner.ts";

/** Where a command looks for the config that no `--config` names: in this order, from where the person stands. */
export const PLACES = ["holdfast.yaml", "config/holdfast.yaml", "/etc/holdfast/holdfast.yaml"];

/** The first that is there. */
export function foundConfig(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

/**
 * The same. Throws `config` where there is none, and where someone else may have put it there: a config says which files
 * are sent to which host, so root must not take one that lies in /tmp.
 */
export function defaultConfig(): string {
  const found = foundConfig();
  if (found === undefined) {
    throw new HoldfastError("config", `there is no config file here: looked for ${PLACES.join(", ")}`, {
      hint: "Make one with `holdfast new`, or name yours with --config.",
    });
  }
  if (isOurs(statSync(found)) || isSafeFolder(dirname(resolve(found)))) return found;
  throw new HoldfastError("config", `${found} belongs to another user of this machine`, {
    hint: `Look at who wrote it. If you trust it: --config ${found}.`,
  });
}

/** Whether no one but this user and root puts files there: whatever is there, they chose. */
function isSafeFolder(path: string): boolean {
  const folder = statSync(path);
  return isOurs(folder) && (folder.mode & 0o022) === 0;
}
