import { readFileSync, type Stats, statSync } from "node:fs";
import { inspect } from "node:util";
import { HoldfastError } from "../error.ts";
import { resolveFileReference } from "./path.ts";

const REDACTED = "[secret]";

/** No key or password Holdfast uses is longer; whatever is, is the wrong file. */
const MAX_BYTES = 64 * 1024;

/**
 * A string that is never printed: not by String(), a template literal, JSON.stringify, console.log or a logger that
 * walks fields. Only `reveal()` gives it, so that every place that uses a secret can be found by that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/**
 * Where a secret is, as the config says it: `env:NAME` or `file:path`. Prints as that reference.
 * Nothing is read before `resolve()`, so a config loads on a machine that has none of its secrets (`init`, CI).
 */
export class SecretRef {
  readonly kind: "env" | "file";
  /** The reference as it was written. */
  readonly reference: string;
  /** The variable, or the absolute path of the file. */
  readonly name: string;

  private constructor(kind: "env" | "file", reference: string, name: string) {
    this.kind = kind;
    this.reference = reference;
    this.name = name;
  }

  /**
   * Relative paths are meant from `folder`, the one that holds the config file.
   * @throws HoldfastError "config", which never repeats the text: it may be the secret itself.
   */
  static parse(text: string, folder: string): SecretRef {
    if (text.startsWith("env:")) {
      const name = text.slice("env:".length);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        throw refusal("what follows env: is not the name of a variable (not shown: it may be the secret)");
      }
      return new SecretRef("env", text, name);
    }
    if (text.startsWith("file:")) {
      const path = resolveFileReference(text, folder);
      if (path === undefined) throw refusal("what follows file: is not a path (not shown: it may be the secret)");
      return new SecretRef("file", text, path);
    }
    throw refusal("a secret is written into the config itself (not shown)");
  }

  /** The file that holds the secret, absolute; undefined for a variable. */
  get path(): string | undefined {
    return this.kind === "file" ? this.name : undefined;
  }

  /**
   * Reads the secret, less one trailing newline, which editors and `echo` add.
   * @throws HoldfastError "config" if it is not there, empty, unreadable or not text.
   */
  resolve(env: Readonly<Record<string, string | undefined>> = process.env): Secret {
    const text = this.kind === "env" ? this.#variable(env) : this.#contents();
    const value = text.replace(/\r?\n$/, "");
    if (value.trim() === "") {
      throw this.#failure("is empty", this.kind === "env" ? `set ${this.name}` : `write the secret into ${this.name}`);
    }
    return new Secret(value);
  }

  /** What is unwise, though it works: for `doctor` and the log. Empty if all is well or there is no file yet. */
  warnings(): readonly string[] {
    if (this.kind !== "file" || process.platform === "win32") return [];
    let file: Stats;
    try {
      file = statSync(this.name);
    } catch {
      // `resolve` says what is wrong with it.
      return [];
    }
    const { mode, uid, gid } = file;
    // Orchestrators give a secret to a group that has this user alone.
    const asGroup = uid !== process.geteuid?.() && process.getgroups?.().includes(gid);
    if ((mode & (asGroup ? 0o037 : 0o077)) === 0) return [];
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    return [`${this.reference}: others on this machine can use this file (mode ${octal}); run chmod 600 ${this.name}`];
  }

  toString(): string {
    return this.reference;
  }

  toJSON(): string {
    return this.reference;
  }

  [inspect.custom](): string {
    return this.reference;
  }

  #variable(env: Readonly<Record<string, string | undefined>>): string {
    const value = env[this.name];
    if (value === undefined) throw this.#failure("is not set", `set the environment variable ${this.name}`);
    return value;
  }

  #contents(): string {
    let bytes: Buffer;
    try {
      const size = statSync(this.name).size;
      if (size > MAX_BYTES) throw this.#failure(`holds ${size} bytes, which is no key`, "point it at the secret alone");
      bytes = readFileSync(this.name);
    } catch (cause) {
      if (cause instanceof HoldfastError) throw cause;
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR") {
        throw this.#failure(
          `there is no file ${this.name}`,
          "restore it; only for a vault that is not there yet does `init` make lookup and log keys",
          cause,
        );
      }
      if (code === "EISDIR") throw this.#failure(`${this.name} is a directory`, "point it at a file", cause);
      throw this.#failure(`${this.name} cannot be read (${code})`, "let the user that runs Holdfast read it", cause);
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw this.#failure("is not UTF-8 text", "store the secret as text", cause);
    }
  }

  #failure(what: string, mend: string, cause?: unknown): HoldfastError {
    return new HoldfastError("config", `${this.reference}: ${what}`, { mend, cause });
  }
}

function refusal(what: string): HoldfastError {
  return new HoldfastError("config", what, { mend: "write env:NAME or file:/path/to/it" });
}
