import type { ClientConfig, Config } from "../config/config.ts";
import { webhookSources } from "../config/sources.ts";
import { HoldfastError } from "../core/error.ts";
import { startMonitor } from "../observe/server.ts";
import type { Session } from "./client.ts";
import { receive } from "./receiving.ts";
import type { Take } from "./reload.ts";
import { Standings } from "./standing.ts";
import { VERSION } from "./version.ts";

/**
 * Receives webhooks until the signal, and serves metrics and health checks. What has arrived is on the disk, so stopping
 * loses nothing.
 * @param reload replaces the clients from then on
 */
export async function receiveUntilStopped(
  session: Session,
  config: Pick<Config, "inbox" | "metrics">,
  reload: (take: Take) => Disposable,
): Promise<void> {
  const { signal, console, now } = session;
  const { listen } = config.metrics;
  const address = config.inbox.listen;
  if (address === undefined) throw nothingToReceive("no inbox.listen", 'inbox: { listen: "127.0.0.1:8480" }');
  if (session.clients.every((client) => webhookSources(client).length === 0))
    throw nothingToReceive(
      "no source with a webhook",
      "webhook: { secrets: [env:NAME] } at each source that sends webhooks",
    );
  let clients: readonly ClientConfig[] = session.clients;
  const metrics = listen && new (await import("../observe/metrics.ts")).Metrics(VERSION);
  await using receiving = await receive({ ...session, metrics }, address);
  if (metrics) {
    const standings = new Standings(metrics, () => clients, now);
    metrics.refresh = () => standings.show();
  }
  await using monitor = metrics && (await startMonitor({ ...listen, metrics, ready: () => !signal.aborted }));
  if (monitor) console.say(`metrics at http://${listen!.host}:${monitor.port}/metrics`);
  using _reloading = reload((found) => {
    clients = found;
    receiving.replace(found);
  });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function nothingToReceive(what: string, example: string): HoldfastError {
  return new HoldfastError("config", `no webhooks can be received: the config has ${what}`, {
    hint: `Write ${example}.`,
  });
}
