/** Who may ask: an API token, or an access token that client credentials were exchanged for. */
import { Refusal, unauthorized } from "./refusal.ts";
import { secretOf } from "./secret.ts";
import type { World } from "./world.ts";

export interface Credentials {
  readonly apiKey: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export class Keys {
  readonly #world: World;
  readonly #credentials: Credentials;
  readonly #tokens = new Map<string, number>();
  /** How long access tokens are valid. */
  seconds: number;

  constructor(world: World, credentials: Credentials, seconds: number) {
    this.#world = world;
    this.#credentials = credentials;
    this.seconds = seconds;
  }

  /** Throws a refusal. Neither `Bearer` with an API token nor `Token` with an access token is good. */
  check(header: string | undefined): void {
    if (header === `Token token=${this.#credentials.apiKey}`) return;
    const expires = header?.startsWith("Bearer ") ? this.#tokens.get(header.slice(7)) : undefined;
    if (expires === undefined || this.#world.now() >= expires) throw unauthorized();
  }

  /** Exchanges a form with client credentials. */
  exchange(form: string): object {
    const sent = new URLSearchParams(form);
    const { clientId, clientSecret } = this.#credentials;
    if (sent.get("client_id") !== clientId || sent.get("client_secret") !== clientSecret)
      throw new Refusal(401, "invalid_client", "Client authentication failed");
    const token = secretOf(this.#world.seed, "access", this.#tokens.size, 0);
    this.#tokens.set(token, this.#world.now() + this.seconds * 1000);
    return { access_token: token, token_type: "Bearer", expires_in: this.seconds };
  }

  /** Ends all access tokens, as a revocation would. */
  revoke(): void {
    this.#tokens.clear();
  }
}
