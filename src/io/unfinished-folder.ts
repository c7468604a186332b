import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { writingFile } from "./file-error.ts";
import { noFile } from "./is-there.ts";

/**
 * A folder or file while it is made: beside its place, under a name that says it is not whole, and put there when it is.
 * Each call has a name of its own, so that what an earlier one left, killed, is in no one's way, and two at once do not
 * mix. What is there already is never written over. Throws `usage` where the place is taken or named wrongly, `state`
 * where it cannot be written.
 */
export class Unfinished {
  readonly path: string;
  readonly #out: string;
  readonly #remove: () => void;

  private constructor(out: string) {
    this.#out = resolve(out);
    this.path = `${this.#out}.${randomBytes(4).toString("hex")}.partial`;
    // Also where the process is told to end at once: it may be decrypted data.
    this.#remove = () => {
      try {
        rmSync(this.path, { recursive: true, force: true });
      } catch (error) {
        if (!isForbidden(error)) throw error;
      }
    };
    process.once("exit", this.#remove);
  }

  /** The name is free from here on; whoever asks makes the file. */
  static async file(out: string): Promise<Unfinished> {
    await refuseTaken(resolve(out));
    return new Unfinished(out);
  }

  /** Without the folders above it: a mistyped path is no wish for folders. */
  static async folder(out: string): Promise<Unfinished> {
    const made = await Unfinished.file(out);
    await writingFile(resolve(out), () => mkdir(made.path, { mode: 0o700 }));
    return made;
  }

  /** It is whole. */
  async finish(): Promise<void> {
    await refuseTaken(this.#out);
    await writingFile(this.#out, () => rename(this.path, this.#out));
    process.off("exit", this.#remove);
  }

  /** What there is of it is removed. */
  async abandon(): Promise<void> {
    await rm(this.path, { recursive: true, force: true }).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
    });
    process.off("exit", this.#remove);
  }
}

/** Where Node's permission model forbids removing, it forbade writing: there is nothing. */
function isForbidden(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED";
}

/** What earlier calls for this place left, which were killed in the middle. */
export async function leftovers(out: string): Promise<string[]> {
  const [folder, name] = [dirname(resolve(out)), basename(resolve(out))];
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((each) => each.startsWith(`${name}.`) && /^\.[0-9a-f]{8}\.partial$/.test(each.slice(name.length)))
    .map((each) => join(dirname(out), each));
}

async function refuseTaken(path: string): Promise<void> {
  // Not `stat`: a link is in the way wherever it leads.
  if ((await writingFile(path, () => lstat(path).catch(noFile))) === undefined) return;
  throw new HoldfastError("usage", `${path} is there already`, {
    hint: "Name another --out: nothing is ever written over.",
  });
}
