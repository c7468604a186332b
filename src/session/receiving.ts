import type { ClientConfig } from "../config/config.ts";
import type { Address } from "../config/listen.ts";
import { webhookSources } from "../config/sources.ts";
import { RESULTS, type ReceiveResult, startReceiver } from "../inbox/receiver.ts";
import { pathOf, type Route } from "../inbox/route.ts";
import { Routes } from "../inbox/routes.ts";
import { closedBy } from "../io/closing.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";

/** How often the log says what has arrived, in ms. */
const TELL = 600_000;

/** A receiver that is under way. */
export interface Receiving extends AsyncDisposable {
  readonly port: number;
  /** Switches to these clients. */
  replace(clients: readonly ClientConfig[]): void;
}

/** Receives webhooks for the clients of a session until it is disposed of. Throws `config` if the address is unavailable. */
export async function receive(session: Session, listen: Address): Promise<Receiving> {
  const { clients, now, metrics, console } = session;
  await using opened = new AsyncDisposableStack();
  const routes = new Routes(now);
  opened.defer(() => routes.close());
  const arrivals = new ArrivalLog(session);
  opened.defer(() => arrivals.stop());
  const receiver = opened.use(
    await startReceiver({
      ...listen,
      routes: () => routes.byPath,
      now,
      onResult(route, result, secret) {
        arrivals.count(route, result);
        metrics?.received(route, result, secret);
      },
      onTrouble: (route, error) => arrivals.trouble(route, error),
    }),
  );
  const replace = (all: readonly ClientConfig[]): void => {
    routes.replace(all);
    for (const route of routes.byPath.values()) {
      // Reads the secrets now, so that a missing one is known before the first event.
      route.keys().catch((error: unknown) => arrivals.trouble(route, error));
      metrics?.received(route, "taken", undefined, 0);
    }
  };
  replace(clients);
  const paths = clients.flatMap((client) => webhookSources(client).map((source) => pathOf(client, source)));
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  console.say(`webhooks at http://${host}:${receiver.port}${paths.length === 0 ? ": none in the config" : ""}`);
  for (const path of paths) console.say(`  POST ${path}`);
  return closedBy<Omit<Receiving, keyof AsyncDisposable>>({ port: receiver.port, replace }, opened.move());
}

/** Says in the log what arrived, by source and result, and what keeps events from being taken: once, until it is over. */
class ArrivalLog {
  readonly #log: Session["console"]["log"];
  readonly #counts = new Map<string, { readonly route: Route | undefined; readonly counts: Record<string, number> }>();
  readonly #troubled = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor({ console }: Session) {
    this.#log = console.log;
    this.#timer = setInterval(() => this.#tell(), TELL);
  }

  count(route: Route | undefined, result: ReceiveResult): void {
    const of = this.#counts.getOrInsertComputed(keyOf(route), () => ({ route, counts: {} }));
    of.counts[result] = (of.counts[result] ?? 0) + 1;
    if (route && (result === "taken" || result === "duplicate")) this.#troubled.delete(keyOf(route));
  }

  trouble(route: Route, error: unknown): void {
    if (this.#troubled.has(keyOf(route))) return;
    this.#troubled.add(keyOf(route));
    this.#log.error("cannot take webhooks: their senders are asked to come again", {
      client: route.client,
      source: route.source,
      ...errorFields(error),
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    for (const { route, counts } of this.#counts.values()) {
      const sorted = RESULTS.flatMap((result) =>
        counts[result] === undefined ? [] : [[result, counts[result]] as const],
      );
      const of = route ? { client: route.client, source: route.source } : {};
      const said = sorted.map(([result, count]) => `${count} ${result}`).join(", ");
      this.#log.info(`webhooks received: ${said}`, { ...of, counts: Object.fromEntries(sorted) });
    }
    this.#counts.clear();
  }
}

const keyOf = (route: Route | undefined): string => (route ? `${route.client}/${route.source}` : "");
