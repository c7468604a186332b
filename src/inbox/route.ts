import { createHash } from "node:crypto";
import type { ClientConfig } from "../config/config.ts";
import type { WebhookSourceConfig } from "../config/source-config.ts";
import { type InboxEvent, readEvent } from "./events.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Arrival, ArrivalOutcome } from "./inbox.ts";
import { type Keys, RouteKeys } from "./keys.ts";
import type { Delivery, Scheme, Verified } from "./schemes/scheme.ts";
import { SCHEMES } from "./schemes/schemes.ts";

/**
 * What became of a request. `unnamed`: verified, but it names no one. `forged`: not from the provider, or not for this route.
 * `unready`: the secrets cannot be read. `unstored`: the disk refuses. `full`: too much waits already.
 */
export type Received = ArrivalOutcome | "unnamed" | "malformed" | "forged" | "unready" | "unstored";

/** Where Veriff says which integration an event is of. The signature does not cover it. */
const INTEGRATION = ["x-auth-client", "vrf-auth-client"];

/** The address of one source's webhooks. */
export function pathOf({ id }: Pick<ClientConfig, "id">, { name }: Pick<WebhookSourceConfig, "name">): string {
  return `/hooks/${id}/${name}`;
}

/** Takes the deliveries of one source. */
export class Route {
  readonly client: string;
  readonly source: string;
  readonly scheme: Scheme;
  readonly #kind: string;
  /** Veriff's name of the integration that this route is for. */
  readonly #integration: string | undefined;
  readonly #keys: RouteKeys;
  readonly #commit: GroupCommit;

  constructor({ id, lookups }: ClientConfig, source: WebhookSourceConfig, commit: GroupCommit) {
    const { name, kind, webhook } = source;
    this.client = id;
    this.source = name;
    this.scheme = SCHEMES[webhook.scheme];
    this.#kind = kind;
    if (source.kind === "veriff" && webhook.scheme === "veriff")
      this.#integration = source.integrationKey.toLowerCase();
    this.#keys = new RouteKeys(webhook.scheme, webhook.secrets, lookups.key);
    this.#commit = commit;
  }

  /** Reads the secrets. Throws `config` or `secrets-unavailable`. */
  keys(): Promise<Keys> {
    return this.#keys.read();
  }

  /**
   * First verifies the bytes as they arrived, then reads them, then keeps whom they name: it is on the disk when this
   * resolves. The provider is not asked, and neither is the vault.
   */
  async receive(
    delivery: Delivery,
    now: Temporal.Instant,
    onTrouble: (error: unknown) => void,
    onVerified: (secret: number) => void,
  ): Promise<Received> {
    let keys: Keys;
    try {
      keys = await this.#keys.read();
    } catch (error) {
      onTrouble(error);
      return "unready";
    }
    const verified = this.scheme.verify(delivery, keys.keys, now);
    if (verified === undefined || !this.#isOfIntegration(delivery)) return "forged";
    onVerified(verified.secret);
    const event = readEvent(this.#kind, verified.text);
    if (event === undefined) return "malformed";
    try {
      const outcome = await this.#commit.append(this.#arrival(delivery, verified, event, keys));
      return outcome === "taken" && event.ids.length === 0 ? "unnamed" : outcome;
    } catch (error) {
      onTrouble(error);
      return "unstored";
    }
  }

  /** Veriff's portal takes the address of another integration as well. Its people are not of this source. */
  #isOfIntegration({ headers }: Delivery): boolean {
    const named = INTEGRATION.flatMap((header) => headers[header] ?? []);
    return this.#integration === undefined || named.every((each) => each.toLowerCase() === this.#integration);
  }

  #arrival({ body }: Delivery, verified: Verified, event: InboxEvent, { tokens, handles }: Keys): Arrival {
    // Each is covered by the signature.
    const key = createHash("sha256")
      .update(verified.id ?? event.id ?? body)
      .digest();
    const named = event.ids.map((id) => {
      const subject = tokens.subject(this.#kind, id);
      return { subject, handle: handles.close(subject, this.#kind, id) };
    });
    return { source: this.source, key, kind: event.kind, isErasure: event.isErasure, named };
  }
}
