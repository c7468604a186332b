/** What every sandbox does over HTTP: listens on loopback, and sends JSON and files. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FileBody } from "./files.ts";

/** Answers the request and returns true, or returns false to leave it to the sandbox. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean;

export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = Buffer.from(text);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length, ...headers });
  response.end(body);
}

export function sendFile(response: ServerResponse, body: FileBody, truncate: boolean): void {
  response.writeHead(200, { "Content-Type": body.mediaType, "Content-Length": body.size });
  if (Buffer.isBuffer(body.bytes)) {
    if (!truncate) response.end(body.bytes);
    else response.write(body.bytes.subarray(0, body.size >> 1), () => response.destroy());
    return;
  }
  const stream = body.bytes;
  let left = truncate ? body.size >> 1 : Number.POSITIVE_INFINITY;
  if (truncate) {
    stream.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) response.destroy();
    });
  }
  response.on("close", () => stream.destroy());
  stream.pipe(response);
}

export interface Listener {
  readonly origin: string;
  close(): Promise<void>;
}

/** `respond` may fail: that is a fault of the sandbox, which it reports, and cuts the connection. */
export async function listen(port: number, respond: Respond): Promise<Listener> {
  const server: Server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    Promise.resolve(respond(request, response)).catch((error: unknown) => {
      process.stderr.write(`sandbox: ${error instanceof Error ? error.stack : String(error)}\n`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Respond = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Counts each request while it is open, and lets the hook answer first. */
export function counted(
  requests: { begin(): void; end(): void },
  hook: () => Interceptor | undefined,
  respond: Respond,
): Respond {
  return (request, response) => {
    requests.begin();
    response.once("close", () => requests.end());
    if (!hook()?.(request, response)) return respond(request, response);
  };
}
