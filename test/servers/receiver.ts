import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/**
 * A receiver of notifications on loopback. Answers with each status in turn, then always with the last. 0 cuts the
 * connection, -1 never answers.
 */
export async function startReceiver(...statuses: number[]) {
  const got: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    got.push({ path: request.url!, headers: request.headers, body });
    const status = statuses[Math.min(got.length, statuses.length) - 1]!;
    if (status === 0) return void request.socket.destroy();
    if (status > 0) response.writeHead(status).end("thanks");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    got,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/7f0c`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
