import { type Stats, statSync } from "node:fs";
import { inspect } from "node:util";
import { HoldfastError } from "../core/error.ts";
import { resolveFileReference } from "./path.ts";
import { readSecretFile } from "./secret-file.ts";

const REDACTED = "[secret]";

/** The kinds of reference, for error messages. */
export const REFERENCES = "env:NAME, file:/path/to/it or aws-secretsmanager:name";
/** The same, for editors. */
export const REFERENCE_PATTERN = "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|aws-secretsmanager:[A-Za-z0-9/_+=.@:-]+(#.+)?)$";

/** A name or ARN that Secrets Manager accepts, then optionally # and a key of a JSON object. */
const IN_SECRETS_MANAGER =
  /^((?:arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512})(?:#([A-Za-z0-9_.-]{1,128}))?$/;

/**
 * A string that never gets printed: not by String(), a template literal, JSON.stringify, console.log or a logger that
 * walks fields. Only `reveal()` returns it, so searching for that word finds every place that uses a secret.
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
 * Where a secret is, as written in the config: `env:NAME`, `file:path`, or `aws-secretsmanager:<name or ARN>[#<key of
 * its JSON>]`. Prints as that reference. Only `resolve()` reads the secret, and it does so on every call. A config
 * therefore loads on a machine that has none of its secrets (`init`, CI), and rotated secrets take effect.
 */
export class SecretRef {
  readonly kind: "env" | "file" | "aws-secretsmanager";
  /** The reference as written. */
  readonly reference: string;
  /** The variable, the absolute path of the file, or the secret's name or ARN. */
  readonly name: string;
  /** The key of the value, if the secret is a JSON object. */
  readonly jsonKey: string | undefined;

  private constructor(kind: SecretRef["kind"], reference: string, name: string, jsonKey?: string) {
    this.kind = kind;
    this.reference = reference;
    this.name = name;
    this.jsonKey = jsonKey;
  }

  /**
   * Relative paths are resolved against `folder`, the config file's folder.
   * @throws HoldfastError "config", which never repeats the text: it may be the secret itself.
   */
  static parse(text: string, folder: string): SecretRef {
    const [, kind = "", rest = ""] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
    switch (kind) {
      case "env":
        if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return new SecretRef(kind, text, rest);
        throw refusal("env: is not followed by a variable name (not shown: it may be the secret)");
      case "file": {
        const path = resolveFileReference(text, folder);
        if (path !== undefined) return new SecretRef(kind, text, path);
        throw refusal("file: is not followed by a path (not shown: it may be the secret)");
      }
      case "aws-secretsmanager": {
        const [, name, jsonKey] = IN_SECRETS_MANAGER.exec(rest) ?? [];
        if (name !== undefined) return new SecretRef(kind, text, name, jsonKey);
        throw refusal("aws-secretsmanager: is not followed by a secret's name (not shown: it may be the secret)");
      }
      default:
        throw refusal("the config contains the secret itself (not shown)");
    }
  }

  /** The file that holds the secret, absolute; undefined for the other kinds. */
  get path(): string | undefined {
    return this.kind === "file" ? this.name : undefined;
  }

  /**
   * Reads the secret and removes one trailing newline, which editors and `echo` add.
   * @throws HoldfastError "config" if it is missing, empty, unreadable or not text; "secrets-unavailable" if a retry
   * may
   *   help.
   */
  async resolve(env: Readonly<Record<string, string | undefined>> = process.env): Promise<Secret> {
    const value = (await this.#read(env)).replace(/\r?\n$/, "");
    if (value.trim() === "") throw this.#failure("is empty", `write the secret into ${this.name}`);
    return new Secret(value);
  }

  /** What works but is unsafe: for `doctor` and the log. Empty if there is no file yet. */
  warnings(): readonly string[] {
    if (this.kind !== "file" || process.platform === "win32") return [];
    let file: Stats;
    try {
      file = statSync(this.name);
    } catch {
      // `resolve` reports the error.
      return [];
    }
    const { mode, uid, gid } = file;
    // Orchestrators give the file to a group whose only member is this user.
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

  async #read(env: Readonly<Record<string, string | undefined>>): Promise<string> {
    switch (this.kind) {
      case "env":
        return this.#variable(env);
      case "file":
        return readSecretFile(this.name, this.reference);
      case "aws-secretsmanager": {
        // Imported only here: few configs need it, and the SDK's client is slow to load.
        const { readAwsSecret } = await import("./secrets-manager.ts");
        return readAwsSecret(this.name, this.jsonKey, this.reference);
      }
    }
  }

  #variable(env: Readonly<Record<string, string | undefined>>): string {
    const value = env[this.name];
    if (value === undefined) throw this.#failure("is not set", `set the environment variable ${this.name}`);
    return value;
  }

  #failure(what: string, hint: string): HoldfastError {
    return new HoldfastError("config", `${this.reference} ${what}`, { hint });
  }
}

function refusal(what: string): HoldfastError {
  return new HoldfastError("config", what, { hint: `write ${REFERENCES}` });
}
