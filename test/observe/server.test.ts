import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { Metrics } from "../../src/observe/metrics.ts";
import { startMonitor } from "../../src/observe/server.ts";

async function opened(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return socket;
}

/** The status of an answer on a connection of its own; undefined when the connection is cut. */
async function status(port: number, path: string): Promise<number | undefined> {
  const headers = { connection: "close" };
  return fetch(`http://127.0.0.1:${port}${path}`, { headers }).then(
    async (response) => {
      await response.text();
      return response.status;
    },
    () => undefined,
  );
}

test("connections that say nothing, or half a header, shut no one out, however many there are", async () => {
  await using monitor = await startMonitor({
    ...{ host: "127.0.0.1", port: 0, metrics: new Metrics("1"), ready: () => true },
  });
  const sockets: Socket[] = [];
  for (let round = 0; round < 100; round++)
    sockets.push(await opened(monitor.port, round % 2 === 0 ? "" : "GET /metrics HTTP/1.1\r\nx-half: "));
  for (const path of ["/healthz", "/readyz", "/metrics"]) assert.equal(await status(monitor.port, path), 200, path);
  for (const socket of sockets) socket.destroy();
});

test("a connection that sends no whole request is cut off within some seconds", async () => {
  await using monitor = await startMonitor({
    ...{ host: "127.0.0.1", port: 0, metrics: new Metrics("1"), ready: () => true },
  });
  const begun = performance.now();
  for (const text of ["", "GET /healthz HTTP/1.1\r\nx-half: ", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"]) {
    const socket = await opened(monitor.port, text);
    socket.resume();
    await once(socket, "close");
  }
  assert.ok(performance.now() - begun < 60_000, `${performance.now() - begun} ms`);
});

test("health is answered while the metrics are still being read", async () => {
  const release = Promise.withResolvers<string>();
  const metrics = Object.assign(new Metrics("1"), { text: () => release.promise });
  await using monitor = await startMonitor({ ...{ host: "127.0.0.1", port: 0, metrics, ready: () => true } });
  const scrape = status(monitor.port, "/metrics");
  assert.equal(await status(monitor.port, "/healthz"), 200);
  release.resolve("");
  assert.equal(await scrape, 200);
});
