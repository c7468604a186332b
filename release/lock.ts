import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** A package as package-lock.json has it. */
export interface Locked {
  /** Where it is installed: `node_modules/pino`. */
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

/** Every package that the lock file names, those for other platforms too; the project itself is none. */
export function lockedPackages(): Locked[] {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  return Object.entries<Locked>(lock.packages)
    .filter(([path]) => path !== "")
    .map(([path, entry]) => ({ ...entry, path, name: path.slice(path.lastIndexOf("node_modules/") + 13) }));
}

/** What the program is shipped with: everything but development dependencies. */
export const production = (packages = lockedPackages()): Locked[] => packages.filter(({ dev }) => !dev);
