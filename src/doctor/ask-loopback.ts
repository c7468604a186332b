import { request } from "node:http";
import type { Address } from "../config/listen.ts";

/** How long an answer may take, in ms. */
const PATIENCE = 5_000;

interface Asked {
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The status that a server on this machine answers with; undefined if none answers. Goes past any proxy. */
export function ask({ host, port }: Address, path: string, asked: Asked): Promise<number | undefined> {
  const { method, headers = {}, body } = asked;
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { "content-length": body.length };
    const sent = request({
      host: LOOPBACK[host] ?? host,
      port,
      path,
      method,
      agent: false,
      timeout: PATIENCE,
      headers: { ...headers, ...length },
    });
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("close", () => resolve(undefined));
    sent.on("error", () => resolve(undefined));
    sent.end(body);
  });
}

/** Where to reach what listens on all addresses. */
const LOOPBACK: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
