import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

/** The error of a full disk: a write stores what fits, then fails. */
function full(): NodeJS.ErrnoException {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28 });
}

/**
 * From now on, writes in this process to files with a matching path fail as on a full disk, after storing half. Fails
 * `times` writes after `spared` ones. Disposing ends it.
 */
export function fillUp(
  path: RegExp,
  times = Number.POSITIVE_INFINITY,
  spared = 0,
): { readonly met: number } & Disposable {
  const { open } = fs;
  const state = { met: 0 };
  const failing = (handle: FileHandle, name: "write" | "writeFile" | "appendFile"): void => {
    const original = handle[name].bind(handle) as (data: Uint8Array | string) => Promise<unknown>;
    Object.assign(handle, {
      [name]: async (data: Uint8Array | string, ...rest: unknown[]) => {
        if (spared-- > 0 || state.met >= times)
          return (original as (...args: unknown[]) => Promise<unknown>)(data, ...rest);
        state.met += 1;
        await original(data.slice(0, data.length >> 1));
        throw full();
      },
    });
  };
  fs.open = async (...args) => {
    const handle = await open(...args);
    if (path.test(String(args[0])))
      for (const name of ["write", "writeFile", "appendFile"] as const) failing(handle, name);
    return handle;
  };
  syncBuiltinESMExports();
  return {
    get met() {
      return state.met;
    },
    [Symbol.dispose]: () => {
      fs.open = open;
      syncBuiltinESMExports();
      times = 0;
    },
  };
}

/** A small disk in memory. Null if mounting is not allowed. */
export function smallDisk(folder: string, kilobytes: number): SmallDisk | null {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", folder], { stdio: "ignore" });
    return new SmallDisk(folder);
  } catch {
    return null;
  }
}

export class SmallDisk implements Disposable {
  readonly #folder: string;
  readonly #filler: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#filler = join(folder, "filler");
  }

  /** Fills it completely. */
  fill(): void {
    const file = openSync(this.#filler, "w");
    try {
      for (const size of [65_536, 4_096, 1]) {
        const block = Buffer.alloc(size);
        try {
          for (;;) if (writeSync(file, block) < size) break;
        } catch {
          // No space for another file of this size.
        }
      }
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync("umount", ["-l", this.#folder], { stdio: "ignore" });
  }
}
