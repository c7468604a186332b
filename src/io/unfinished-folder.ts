import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { writingFile } from "./file-error.ts";
import { noFile } from "./is-there.ts";

/**
 * A folder or file in the making: beside its final place, under a name that marks it as unfinished, and renamed when
 * complete. Each call uses its own name, so that leftovers of a killed call do not matter and concurrent calls do not
 * mix. Never overwrites anything. Throws `usage` if the place exists or is wrong, `state` if it cannot write.
 */
export class Unfinished {
  readonly path: string;
  readonly #out: string;
  readonly #remove: () => void;

  private constructor(out: string) {
    this.#out = resolve(out);
    this.path = `${this.#out}.${randomBytes(4).toString("hex")}.partial`;
    // Also when the process must end at once: it may be decrypted data.
    this.#remove = () => {
      try {
        rmSync(this.path, { recursive: true, force: true });
      } catch (error) {
        if (!isForbidden(error)) throw error;
      }
    };
    process.once("exit", this.#remove);
  }

  /** Reserves a name. The caller creates the file. */
  static async file(out: string): Promise<Unfinished> {
    await refuseTaken(resolve(out));
    return new Unfinished(out);
  }

  /** Does not create parent folders: a mistyped path should fail. */
  static async folder(out: string): Promise<Unfinished> {
    const made = await Unfinished.file(out);
    await writingFile(resolve(out), () => mkdir(made.path, { mode: 0o700 }));
    return made;
  }

  /** Moves it to its final place. */
  async finish(): Promise<void> {
    await refuseTaken(this.#out);
    await writingFile(this.#out, () => rename(this.path, this.#out));
    process.off("exit", this.#remove);
  }

  /** Removes what was written so far. */
  async abandon(): Promise<void> {
    await rm(this.path, { recursive: true, force: true }).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
    });
    process.off("exit", this.#remove);
  }
}

/** If Node's permission model forbids removing, it forbade writing too: nothing exists. */
function isForbidden(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED";
}

/** What earlier, killed calls for this place left. */
export async function leftovers(out: string): Promise<string[]> {
  const [folder, name] = [dirname(resolve(out)), basename(resolve(out))];
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((each) => each.startsWith(`${name}.`) && /^\.[0-9a-f]{8}\.partial$/.test(each.slice(name.length)))
    .map((each) => join(dirname(out), each));
}

/** Warns about leftovers of a killed call with this --out. They do no harm, but may contain decrypted data. */
export async function warnOfLeftovers(out: string, log: { warn(message: string): void }): Promise<void> {
  for (const path of await leftovers(out))
    log.warn(
      `${path} is left over from an earlier call that stopped, or belongs to one still running: remove it if none is running`,
    );
}

async function refuseTaken(path: string): Promise<void> {
  // Not `stat`: even a dangling link occupies the path.
  if ((await writingFile(path, () => lstat(path).catch(noFile))) === undefined) return;
  throw new HoldfastError("usage", `${path} already exists`, {
    hint: "Choose another path: Holdfast never overwrites anything.",
  });
}
