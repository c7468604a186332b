import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** A package in package-lock.json. */
export interface Locked {
  /** Its folder: `node_modules/pino`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Every package in the lock file, including those for other platforms, without the project itself. */
export function lockedPackages(): Locked[] {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  return Object.entries<Locked>(lock.packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => ({ ...entry, path, name: path.slice(path.lastIndexOf("node_modules/") + 13) }));
}

/** The packages that the program is shipped with: all but development dependencies. */
export const production = (packages = lockedPackages()): Locked[] => packages.filter(({ dev }) => !dev);
