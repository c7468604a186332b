import type { ClientConfig } from "../config/config.ts";
import { webhookSources } from "../config/sources.ts";
import type { Clock } from "../core/clock.ts";
import { GroupCommit } from "./group-commit.ts";
import { Inbox } from "./inbox.ts";
import { pathOf, Route } from "./route.ts";

/** Where each client's webhooks go. One inbox for each client: a signature of one is refused on the path of another. */
export class Routes {
  readonly #now: Clock;
  readonly #inboxes = new Map<string, { readonly inbox: Inbox; readonly commit: GroupCommit }>();
  #byPath: ReadonlyMap<string, Route> = new Map();

  constructor(now: Clock) {
    this.#now = now;
  }

  get byPath(): ReadonlyMap<string, Route> {
    return this.#byPath;
  }

  /** Switches to these clients. What has arrived stays. */
  replace(clients: readonly ClientConfig[]): void {
    const routes = clients.flatMap((client) =>
      webhookSources(client).map((source) => {
        const { commit } = this.#inboxes.getOrInsertComputed(client.state, (state) => {
          const inbox = new Inbox(state);
          return { inbox, commit: new GroupCommit(inbox, this.#now) };
        });
        return [pathOf(client, source), new Route(client, source, commit)] as const;
      }),
    );
    this.#byPath = new Map(routes);
  }

  close(): void {
    for (const { inbox } of this.#inboxes.values()) inbox.close();
  }
}
