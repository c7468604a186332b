import { createServer } from "node:http";
import { limitConnections, listen } from "../net/connections.ts";
import type { Metrics } from "./metrics.ts";

export interface MonitorOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Whether due runs will start: false until the schedule is set up, and once the daemon is stopping. */
  readonly ready: () => boolean;
}

export interface Monitor extends AsyncDisposable {
  readonly port: number;
}

/** Closes connections that have not sent their request, one short line, by then. Checked every second. */
const PATIENCE = {
  headersTimeout: 2_000,
  requestTimeout: 2_000,
  keepAliveTimeout: 2_000,
  connectionsCheckingInterval: 1_000,
};
const CONNECTIONS = 64;

/**
 * Serves GET /metrics for Prometheus, and /healthz (this process answers) and /readyz for an orchestrator. Of a request it
 * reads only the path. At the connection limit it closes the oldest, so that a new one always gets in. Throws `config` if
 * the address is unavailable.
 */
export async function startMonitor({ host, port, metrics, ready }: MonitorOptions): Promise<Monitor> {
  const server = createServer({ ...PATIENCE, maxHeaderSize: 8192 }, (request, response) => {
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void =>
      void response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "use GET\n");
    switch (request.url?.split("?", 1)[0]) {
      case "/healthz":
        return answer(200, "ok\n");
      case "/readyz":
        return ready() ? answer(200, "ok\n") : answer(503, "no run will start here\n");
      case "/metrics":
        void metrics.text().then(
          (text) => answer(200, text, metrics.registry.contentType),
          () => answer(500, "cannot read the metrics\n"),
        );
        return;
      default:
        return answer(404, "/metrics, /healthz, /readyz\n");
    }
  });
  limitConnections(server, CONNECTIONS);
  const bound = await listen(server, { host, port }, "metrics.listen");
  return {
    port: bound,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
