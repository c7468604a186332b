/** The events of the last thirty days, newest first. Only what a test did makes events: the invented past has no more. */
import { personaId } from "./id.ts";
import type { Wire } from "./wire.ts";
import type { World } from "./world.ts";

const KEPT = 30 * 86_400_000;

export class Events {
  readonly #world: World;
  readonly #events: { readonly at: number; readonly name: string; readonly object: Wire; readonly n: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** `at` may lie ahead: the event comes when the clock is there. */
  add(name: string, object: Wire, at = this.#world.now()): void {
    this.#events.push({ at, name, object, n: this.#events.length });
  }

  list(name: string | null, objectId: string | null): Wire[] {
    const now = this.#world.now();
    return this.#events
      .filter((event) => event.at <= now && event.at > now - KEPT)
      .filter((event) => (name ?? event.name) === event.name && (objectId ?? event.object.id) === event.object.id)
      .sort((a, b) => b.at - a.at || b.n - a.n)
      .map(({ at, name: called, object, n }) => ({
        type: "event",
        id: personaId(this.#world.seed, "evt", n),
        attributes: {
          name: called,
          payload: { data: object },
          "created-at": new Date(at).toISOString(),
          context: {},
        },
      }));
  }
}
