import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Secret } from "../../src/config/secret.ts";
import { Http } from "../../src/source/http.ts";
import type { Api, HttpOptions } from "../../src/source/http-options.ts";
import { quick } from "./connect.ts";

export interface Got {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A server on loopback that keeps what it got. `reply` also gets the number of the request, from 1. */
export async function serve(t: TestContext, reply: (response: ServerResponse, count: number) => unknown) {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    got.push({ method: request.method, url: request.url, headers: request.headers, body });
    reply(response, got.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export const KEY = "key-5f2a9c71";

export function http(t: TestContext, url: string, options: Partial<HttpOptions & Api> = {}): Http {
  const made = new Http({
    ...{ url, apiKey: new Secret(KEY), rate: { count: 100_000, per: 1_000 }, concurrency: 4, retry: quick },
    ...{ auth: { kind: "scheme", scheme: "Bearer" }, saysMissing: () => true, ...options },
  });
  t.after(() => made.close());
  return made;
}
