/** The API's host: who asks and how often; then the answer, or a fault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import type { Window } from "../persona/window.ts";
import { sendFile, sendJson } from "../send.ts";
import type { Keys } from "./keys.ts";
import { broken, forbidden, invalid, Refusal, tooMany, unavailable } from "./refusal.ts";
import { type Asked, answer, type Endpoint, endpointOf } from "./routes.ts";

export interface ApiOptions {
  readonly about: Omit<Asked, "url" | "answer" | "origin">;
  readonly faults: FaultInjector;
  readonly window: Window;
  readonly requests: Counters<Endpoint>;
  readonly keys: Keys;
  /** Whether Onfido sends Retry-After is not known; a test that sets `retryAfter` gets one, so that it need not wait. */
  readonly retryAfter: () => number | undefined;
}

const LONGEST_BODY = 10_000;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length > LONGEST_BODY) throw invalid("the body is too long");
  }
  return Buffer.concat(chunks).toString();
}

export class Api {
  readonly #options: ApiOptions;
  #answers = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults, requests, window, keys } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    const endpoint = endpointOf(request.method ?? "GET", url.pathname);
    if (faults.slow > 0) await delay(faults.slow);
    try {
      const form = request.method === "POST" ? await bodyOf(request) : "";
      if (endpoint !== "oauth/token" && endpoint !== "ping") keys.check(request.headers.authorization);
      if (!window.take()) throw tooMany();
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      if (failure !== undefined) throw { 500: broken, 503: unavailable, 429: tooMany }[failure]();
      if (endpoint === "oauth/token") {
        const token = this.#exchanged(request, form);
        requests.count(endpoint, 200);
        sendJson(response, 200, token);
      } else this.#send(request, response, endpoint, url);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(endpoint, refusal.status);
      const wait = refusal.status === 429 || refusal.status === 503 ? this.#options.retryAfter() : undefined;
      sendJson(response, refusal.status, refusal.body, wait === undefined ? {} : { "Retry-After": String(wait) });
    }
  }

  #exchanged({ method, headers }: IncomingMessage, form: string): string {
    if (method !== "POST" || !headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
      throw invalid("send a form");
    return JSON.stringify(this.#options.keys.exchange(form));
  }

  #send(request: IncomingMessage, response: ServerResponse, endpoint: Endpoint, url: URL): void {
    const { about, faults, requests } = this.#options;
    this.#answers++;
    const made = answer(endpoint, { ...about, url, answer: this.#answers, origin: `http://${request.headers.host}` });
    if (made.kind === "file" && faults.withheld(made.id)) throw forbidden();
    requests.count(endpoint, made.kind === "redirect" ? 302 : 200);
    switch (made.kind) {
      case "json":
        sendJson(response, 200, JSON.stringify(made.value), made.headers);
        return;
      case "text":
        response.writeHead(200, { "Content-Type": "text/plain" }).end(made.text);
        return;
      case "redirect":
        response.writeHead(302, { Location: made.to, "Content-Length": 0 }).end();
        return;
      case "file":
        response.setHeader("Content-Disposition", `attachment; filename="${made.name}"`);
        sendFile(response, made.body, faults.truncates());
    }
  }
}
