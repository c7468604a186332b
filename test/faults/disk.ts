import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

/** What a full disk does: a write takes what there is room for, and then fails. */
function full(): NodeJS.ErrnoException {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28 });
}

/**
 * From now on writing to files whose path matches fails in this process as on a full disk: half of what is written gets
 * there. `times` of them, after `spared`; disposing of it makes room.
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

/** A small disk of its own in memory; null where mounting is not allowed. */
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

  /** Leaves no room at all. */
  fill(): void {
    const file = openSync(this.#filler, "w");
    try {
      for (const size of [65_536, 4_096, 1]) {
        const block = Buffer.alloc(size);
        try {
          for (;;) if (writeSync(file, block) < size) break;
        } catch {
          // No room for another one of this size.
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
