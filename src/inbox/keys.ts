import type { Secret, SecretRef } from "../config/secret.ts";
import type { SchemeName } from "../config/webhook.ts";
import { Handles } from "../record/handles.ts";
import { Tokens } from "../record/tokens.ts";
import { SCHEMES } from "./schemes/schemes.ts";

/** What must be read before a delivery can be verified and kept. */
export interface Keys {
  /** Of the scheme, in the config's order. */
  readonly keys: readonly Uint8Array[];
  readonly tokens: Tokens;
  readonly handles: Handles;
}

/** How long keys are used before they are read again, and how long it takes until another try, in ms. */
const FRESH = 60_000;
const APART = 5_000;

/**
 * The secrets of one route, read again each minute, so that a rotated secret takes effect without a restart. While they
 * cannot be read, `read` throws `config` or `secrets-unavailable`, and nothing can be verified.
 */
export class RouteKeys {
  readonly #scheme: SchemeName;
  readonly #secrets: readonly SecretRef[];
  readonly #lookup: SecretRef;
  #read: Promise<Keys> | undefined;
  #until = Number.NEGATIVE_INFINITY;

  /** @param lookup the client's lookup key */
  constructor(scheme: SchemeName, secrets: readonly SecretRef[], lookup: SecretRef) {
    this.#scheme = scheme;
    this.#secrets = secrets;
    this.#lookup = lookup;
  }

  read(): Promise<Keys> {
    if (this.#read !== undefined && performance.now() < this.#until) return this.#read;
    this.#until = performance.now() + FRESH;
    this.#read = this.#resolve();
    this.#read.catch(() => {
      this.#until = performance.now() + APART;
    });
    return this.#read;
  }

  async #resolve(): Promise<Keys> {
    const { key } = SCHEMES[this.#scheme];
    const secrets = await Promise.all(this.#secrets.map((each) => each.resolve()));
    return { keys: secrets.map(key), ...lookupsOf(await this.#lookup.resolve()) };
  }
}

function lookupsOf(key: Secret) {
  return { tokens: new Tokens(key), handles: new Handles(key) };
}
