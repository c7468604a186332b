import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";
import { canonicalJson } from "./canonical.ts";
import { Hmac } from "./hmac.ts";

/** How to get a lookup key: a first one, and the one of a vault that exists. */
const CREATE = "Run `holdfast init` to create one, or `openssl rand -hex 32`.";
export const RESTORE_LOOKUP_KEY =
  "Restore the file that `holdfast init` made, from your backup; with any other key, nothing in the vault can be found.";

/**
 * The tokens for people and files outside sealed records: HMAC-SHA-256 with the client's lookup key, so that without
 * the key no one can tell, or test, whom a token stands for. Deterministic: the same input always gives the same token,
 * which makes every write repeatable.
 */
export class Tokens {
  readonly #keyed: Hmac;

  /**
   * @param key 64 hex digits
   * @param hint for a key that is not: what to do about it
   */
  constructor(key: Secret, hint: string = CREATE) {
    if (!/^[0-9a-f]{64}$/.test(key.reveal())) {
      throw new HoldfastError("config", "the lookup key is not 64 hexadecimal digits", {
        hint,
      });
    }
    this.#keyed = new Hmac(Buffer.from(key.reveal(), "hex"));
  }

  /** The token of an identity. */
  subject(kind: string, id: string): string {
    return this.#keyed.of(`identity\0${kind}\0${id}`).slice(0, 32);
  }

  /**
   * The name of a version: when the provider changed it, and a digest of everything that it says.
   * @param updated RFC 3339 UTC
   * @param content of the dossier, parsed exactly
   */
  version(updated: string, content: unknown): string {
    return `${compact(updated)}-${this.#keyed.of(`content/2\0${canonicalJson(content)}`).slice(0, 12)}`;
  }

  /**
   * What the provider's list says, in the form of a version. In record/1 this was the name of the version: there, the
   * answer about the identity itself was all that was compared.
   * @param raw its entry in the list, parsed exactly
   */
  listed(updated: string, raw: unknown): string {
    return `${compact(updated)}-${this.#keyed.of(canonicalJson(raw)).slice(0, 12)}`;
  }

  /**
   * Shows whether an entry of the provider's list is, byte for byte, the same as another one. 24 hex digits.
   * @param bytes JSON, so that this is no token of anything else: those begin with a word
   */
  entry(bytes: Uint8Array): string {
    return this.#keyed.of(bytes).slice(0, 24);
  }

  /** Shows whether a glance at an identity said the same as another one. */
  glance(content: unknown): string {
    return this.#keyed.of(`glance\0${canonicalJson(content)}`).slice(0, 32);
  }

  /** The name of one capture of a file, known before the fetch. Some providers number files within a resource. */
  file(resource: string, id: string, updated: string): string {
    return this.#keyed.of(`file/2\0${resource}\0${id}\0${updated}`).slice(0, 32);
  }

  /** The former name of a file, without its resource. Older vaults use it. */
  formerFile(id: string, updated: string): string {
    return this.#keyed.of(`file\0${id}\0${updated}`).slice(0, 32);
  }

  /** The token to find a person by, for a lookup (`email`, `metadata.customer_id`, …). */
  lookup(name: string, value: string): string {
    return this.#keyed.of(`lookup\0${name}\0${normalised(name, value)}`).slice(0, 32);
  }

  /** The token to find a case by. Outside sealed notes its number is stored nowhere. */
  case(number: string): string {
    return this.#keyed.of(`case\0${number.normalize("NFC").trim()}`).slice(0, 32);
  }

  /**
   * Commits to a case and its reason: with the key and the words, it can be shown that these were meant. 64 hex digits.
   */
  commitment(number: string, reason: string): string {
    return this.#keyed.of(`commitment\0${number.normalize("NFC").trim()}\0${reason.normalize("NFC").trim()}`);
  }

  /** Shows whether two answers are about the same project of a provider. */
  project(kind: string, id: string): string {
    return this.#keyed.of(`project\0${kind}\0${id}`).slice(0, 32);
  }

  /** Shows whether two lookup keys are the same, and nothing else about them. Stored in vault.json. */
  check(): string {
    return this.#keyed.of("check\0holdfast").slice(0, 16);
  }
}

/** An instant as Temporal writes it. */
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):([0-5]\d)(?:\.\d+)?Z$/;

/** RFC 3339 UTC, in whole seconds, without signs that a key should not contain. */
function compact(updated: string): string {
  const [, year, month, day, hour, minute, second] = INSTANT.exec(updated) ?? [];
  // Each night asks this of everyone, and Temporal takes seven times as long.
  if (second !== undefined) return `${year}${month}${day}T${hour}${minute}${second}Z`;
  return Temporal.Instant.from(updated).toString({ smallestUnit: "second" }).replace(/[-:]/g, "");
}

/** People write an address or a number in several ways; all of them must give the same token. */
function normalised(name: string, value: string): string {
  const trimmed = value.normalize("NFC").trim();
  if (name === "email") return trimmed.toLowerCase();
  if (name === "document.number") return trimmed.toUpperCase().replace(/[\s.-]/g, "");
  return trimmed;
}
