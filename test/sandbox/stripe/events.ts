/** The events of the last thirty days, newest first. Only what a test did makes events: the invented past has no more. */
import type Stripe from "stripe";
import { stripeId } from "./id.ts";
import type { Place } from "./paging.ts";
import { type Session, VERSION } from "./wire.ts";
import type { World } from "./world.ts";

const KEPT = 30 * 86_400_000;

export interface EventRow {
  readonly place: Place;
  readonly type: string;
  /** Unix seconds. */
  readonly created: number;
  readonly event: Stripe.Event;
}

interface Happening {
  readonly at: number;
  readonly type: string;
  readonly index: number;
  readonly session: Session;
}

export class Events {
  readonly #world: World;
  /** Milliseconds until an event can be listed. */
  readonly #delay: number;
  readonly #happenings: Happening[] = [];

  constructor(world: World, delay: number) {
    this.#world = world;
    this.#delay = delay;
  }

  add(type: string, index: number, session: Session): void {
    this.#happenings.push({ at: this.#world.now(), type, index, session });
  }

  /** `session` shows what a session is now: once it is redacted, its earlier events are too. */
  list(session: (index: number) => Session | undefined): EventRow[] {
    const now = this.#world.now();
    return this.#happenings
      .map((happening, n) => ({ ...happening, n }))
      .filter(({ at }) => at + this.#delay <= now && at > now - KEPT)
      .map(({ at, type, index, session: then, n }) => {
        const shown = this.#world.redaction(index) === "redacted" ? (session(index) ?? then) : then;
        const created = Math.floor(at / 1000);
        const event = {
          id: stripeId(this.#world.seed, "evt", n),
          object: "event",
          api_version: VERSION,
          created,
          data: { object: { ...shown, client_secret: null, url: null } },
          livemode: shown.livemode,
          pending_webhooks: 0,
          request: { id: null, idempotency_key: null },
          type,
        } as Stripe.Event;
        return { place: [created, n] as const, type, created, event };
      })
      .sort((a, b) => b.place[0] - a.place[0] || b.place[1] - a.place[1]);
  }
}
