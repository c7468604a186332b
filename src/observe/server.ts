import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { HoldfastError } from "../core/error.ts";
import type { Metrics } from "./metrics.ts";

export interface MonitorOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Whether runs will begin when they are due: not before the schedule stands, and not once it is told to stop. */
  readonly ready: () => boolean;
}

export interface Monitor extends AsyncDisposable {
  readonly port: number;
}

/** A request is one short line: who has not sent it by then is cut off. Looked at every second. */
const PATIENCE = {
  headersTimeout: 2_000,
  requestTimeout: 2_000,
  keepAliveTimeout: 2_000,
  connectionsCheckingInterval: 1_000,
};
const CONNECTIONS = 64;

/**
 * GET /metrics for Prometheus, /healthz (this process answers) and /readyz for an orchestrator. It reads nothing that it
 * is sent but the path. Of too many connections the oldest is cut off, so that one more always gets in. Throws `config` where the address cannot be had.
 */
export async function startMonitor({ host, port, metrics, ready }: MonitorOptions): Promise<Monitor> {
  const server = createServer({ ...PATIENCE, maxHeaderSize: 8192 }, (request, response) => {
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void =>
      void response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "GET alone\n");
    switch (request.url?.split("?", 1)[0]) {
      case "/healthz":
        return answer(200, "ok\n");
      case "/readyz":
        return ready() ? answer(200, "ok\n") : answer(503, "no run will begin here\n");
      case "/metrics":
        void metrics.text().then(
          (text) => answer(200, text, metrics.registry.contentType),
          () => answer(500, "the metrics cannot be read\n"),
        );
        return;
      default:
        return answer(404, "/metrics, /healthz, /readyz\n");
    }
  });
  const connections = new Set<Socket>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    if (connections.size > CONNECTIONS) connections.values().next().value!.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new HoldfastError("config", `cannot listen on ${host}:${port} (${cause.code})`, {
          cause,
          hint: "Name another address as metrics.listen: one of this machine, and a port that no one has.",
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
