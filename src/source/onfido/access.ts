import * as z from "zod";
import { Secret } from "../../config/secret.ts";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { checked } from "../answer.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import { parsed } from "./answers.ts";

const TOKEN = "POST /oauth/token";
const answer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  expires_in: z
    .number()
    .min(1)
    .max(366 * 86_400),
});
/** A token is exchanged again this long before its end, in ms. */
const EARLY = 30_000;

/** An access token that client credentials are exchanged for. In memory only. */
export class AccessToken {
  readonly #http: Http;
  readonly #clientId: string;
  readonly #now: () => Temporal.Instant;
  readonly #options: HttpOptions;
  #secret: Secret;
  #token: Secret | undefined;
  #until = 0;
  #exchanging: Promise<Secret> | undefined;

  constructor(options: HttpOptions, clientId: string, now: () => Temporal.Instant) {
    this.#options = options;
    this.#clientId = clientId;
    this.#secret = options.apiKey;
    this.#now = now;
    this.#http = new Http({
      ...options,
      // The credentials are in the form.
      auth: { kind: "signed", sign: () => ({}) },
      // Nothing is asked for here that may be missing.
      saysMissing: () => true,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  }

  get requests(): number {
    return this.#http.requests;
  }

  /** The present token. Undefined before the first exchange. */
  get present(): Secret | undefined {
    return this.#token;
  }

  /** Makes sure that there is one that is not about to end. */
  async fresh(): Promise<void> {
    if (this.#token === undefined || this.#now().epochMilliseconds >= this.#until - EARLY) await this.#exchange();
  }

  /** After a refusal: with the client's secret as it is now. */
  async renewed(): Promise<Secret> {
    this.#secret = (await this.#options.renewKey?.()) ?? this.#secret;
    return this.#exchange();
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #exchange(): Promise<Secret> {
    this.#exchanging ??= this.#ask().finally(() => {
      this.#exchanging = undefined;
    });
    return this.#exchanging;
  }

  async #ask(): Promise<Secret> {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      ...{ client_id: this.#clientId, client_secret: this.#secret.reveal() },
    }).toString();
    const { text } = await this.#http
      .text({ name: TOKEN, path: "/oauth/token", body }, 64 * 1024)
      .catch((error: unknown) => {
        // OAuth refuses wrong credentials with 400 as well.
        if (!hasCode(error, "source-rejected")) throw error;
        throw new HoldfastError("source-key", `${TOKEN}: Onfido refuses the client credentials`, {
          cause: error,
          hint: "Check source.clientId, and that source.apiKey is the secret of that client.",
        });
      });
    const { access_token: token, expires_in: seconds } = checked(TOKEN, answer, parsed(TOKEN, text));
    this.#until = this.#now().epochMilliseconds + seconds * 1000;
    this.#token = new Secret(token);
    return this.#token;
  }
}
