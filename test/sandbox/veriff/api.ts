/** The API's host: who asks, what was signed, and how often; then the signed answer, or a fault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { sendFile, sendJson } from "../send.ts";
import { veriffId } from "./id.ts";
import { broken, forbidden, noClient, Refusal, tooMany, unavailable, wrongClient, wrongSignature } from "./refusal.ts";
import { type Asked, answer, type Endpoint, type Route, routeOf } from "./routes.ts";
import { isSignature, signatureOf } from "./signature.ts";

/** Under which names an answer is signed. */
export type Signs = "x" | "vrf" | "both" | "none";

export interface ApiOptions {
  readonly about: Omit<Asked, "answer">;
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  /** What Veriff calls the API key, which is public. */
  readonly integrationKey: string;
  /** The shared secret. */
  readonly apiKey: string;
  readonly signs: Signs;
  /** Whose id signs the request for a medium's bytes: Veriff's documentation says both. */
  readonly mediaSignedBy: "media" | "session";
  /** Veriff documents no Retry-After; a test that sets it need not wait. */
  readonly retryAfter: () => number | undefined;
}

export class Api {
  readonly #options: ApiOptions;
  #answers = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults, requests } = this.#options;
    const route = routeOf(new URL(request.url ?? "/", "http://sandbox").pathname);
    const { endpoint } = route;
    if (faults.slow > 0) await delay(faults.slow);
    try {
      this.#check(request, route);
      if (faults.limit() !== undefined) throw tooMany();
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      if (failure !== undefined) throw { 500: broken, 503: unavailable, 429: tooMany }[failure]();
      await this.#send(request.method ?? "GET", route, response);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(endpoint, refusal.status);
      const wait = refusal.status === 429 || refusal.status === 503 ? this.#options.retryAfter() : undefined;
      sendJson(response, refusal.status, refusal.body, wait === undefined ? {} : { "Retry-After": String(wait) });
    }
  }

  #check({ headers }: IncomingMessage, route: Route): void {
    const { integrationKey, apiKey } = this.#options;
    const client = headers["x-auth-client"];
    if (client === undefined) throw noClient();
    if (client !== integrationKey) throw wrongClient();
    if (!isSignature(apiKey, this.#signed(route), String(headers["x-hmac-signature"] ?? ""))) throw wrongSignature();
  }

  #signed({ endpoint, id }: Route): string {
    const { about, mediaSignedBy } = this.#options;
    const medium = endpoint === "file" && mediaSignedBy === "session" ? about.shelf.find(id) : undefined;
    return medium ? veriffId(about.world.seed, "session", medium.index) : id;
  }

  async #send(method: string, route: Route, response: ServerResponse): Promise<void> {
    const { about, faults, requests, apiKey } = this.#options;
    this.#answers++;
    const made = answer(method, route, { ...about, answer: this.#answers });
    if (made.kind === "file") {
      if (faults.withheld(route.id)) throw forbidden();
      requests.count(route.endpoint, 200);
      this.#sign(response, await about.shelf.signature(made.medium, apiKey));
      sendFile(response, about.shelf.body(made.medium), faults.truncates());
      return;
    }
    requests.count(route.endpoint, 200);
    const text = JSON.stringify(made.value);
    this.#sign(response, signatureOf(apiKey, text));
    sendJson(response, 200, text);
  }

  #sign(response: ServerResponse, signature: string): void {
    const { signs, integrationKey } = this.#options;
    for (const prefix of signs === "both" ? ["x", "vrf"] : signs === "none" ? [] : [signs]) {
      response.setHeader(`${prefix}-auth-client`, integrationKey);
      response.setHeader(`${prefix}-hmac-signature`, signature);
    }
  }
}
