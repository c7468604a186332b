import { HoldfastError } from "../core/error.ts";

/** Untrusted JSON, read member by member: the caller says what it must be. More than the page can take does not count against it: `state`. */
export class Json {
  readonly #value: unknown;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#value = value;
    this.#where = where;
  }

  static parse(bytes: Uint8Array, where: string): Json {
    try {
      return new Json(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), where);
    } catch {
      throw new HoldfastError("malformed", `${where} is not JSON.`);
    }
  }

  get value(): unknown {
    return this.#value;
  }

  has(name: string): boolean {
    return isObject(this.#value) && Object.hasOwn(this.#value, name) && this.#value[name] != null;
  }

  member(name: string): Json {
    if (!isObject(this.#value)) throw this.#refusal("an object");
    const value = Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
    return new Json(value, `${this.#where}, ${name}`);
  }

  text(most = 2_000, pattern = /^/): string {
    const value = this.#value;
    if (typeof value === "string" && value.length <= most && pattern.test(value)) return value;
    throw this.#refusal("a text");
  }

  count(): number {
    if (Number.isSafeInteger(this.#value) && (this.#value as number) >= 0) return this.#value as number;
    throw this.#refusal("a count");
  }

  items(most: number): Json[] {
    if (!Array.isArray(this.#value)) throw this.#refusal("a list");
    if (this.#value.length > most)
      throw new HoldfastError("state", `${this.#where} has more than ${most} members: too many for this page.`, {
        hint: "On the command line holdfast verify checks all of it.",
      });
    return this.#value.map((item, i) => new Json(item, `${this.#where}[${i}]`));
  }

  #refusal(what: string): HoldfastError {
    return new HoldfastError("malformed", `${this.#where} is not ${what} as a bag has it.`);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
