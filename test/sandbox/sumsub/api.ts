/** The API's host: who asks and how often; then the answer, or a fault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import type { Window } from "../persona/window.ts";
import { hash } from "../random.ts";
import { sendFile, sendJson } from "../send.ts";
import { broken, forbidden, invalid, Refusal, tooMany, unavailable } from "./refusal.ts";
import { type About, answer, type Match, matchOf } from "./routes.ts";
import { type Credentials, check, type Rights } from "./token.ts";

export interface ApiOptions {
  readonly about: About;
  readonly faults: FaultInjector;
  /** The limit of all GET requests, and that of AML cases. */
  readonly windows: { readonly all: Window; readonly aml: Window };
  readonly requests: Counters<string>;
  readonly credentials: Credentials;
  readonly rights: () => Rights;
  /** Whether Sumsub sends Retry-After is not known; a test that sets `retryAfter` gets one, so that it need not wait. */
  readonly retryAfter: () => number | undefined;
}

const LONGEST_BODY = 10_000;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length > LONGEST_BODY) throw invalid("the body is too long");
  }
  return Buffer.concat(chunks);
}

export class Api {
  readonly #options: ApiOptions;
  #answers = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { about, faults, requests, windows, credentials } = this.#options;
    const { method = "GET", url = "/" } = request;
    const match = matchOf(method, new URL(url, "http://sandbox").pathname);
    this.#answers++;
    // A client reads here how far its clock is off.
    response.setHeader("Date", new Date(about.world.now()).toUTCString());
    if (faults.slow > 0) await delay(faults.slow);
    try {
      const body = await bodyOf(request);
      if (match.endpoint !== "status/api")
        check(credentials, request.headers, { method, url, body }, about.world.now());
      if (!windows.all.take()) throw tooMany();
      if (match.endpoint === "api/applicants/…/amlCase" && !windows.aml.take()) throw tooMany();
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(match.endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      if (failure !== undefined) throw { 500: broken, 503: unavailable, 429: tooMany }[failure]();
      this.#send(response, match, url);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(match.endpoint, refusal.status);
      const wait = refusal.status === 429 || refusal.status === 503 ? this.#options.retryAfter() : undefined;
      const correlationId = hash(about.world.seed, 430, this.#answers).toString(16).padStart(32, "0");
      const headers = wait === undefined ? {} : { "Retry-After": String(wait) };
      sendJson(response, refusal.status, refusal.body(correlationId), headers);
    }
  }

  #send(response: ServerResponse, match: Match, url: string): void {
    const { about, faults, requests, rights } = this.#options;
    const asked = { ...about, rights: rights(), url: new URL(url, "http://sandbox"), answer: this.#answers };
    const made = answer(match, asked);
    if (made.kind === "file" && faults.withheld(made.id)) throw forbidden("view this file");
    requests.count(match.endpoint, 200);
    if (made.kind === "json") sendJson(response, 200, JSON.stringify(made.value));
    else sendFile(response, made.body, faults.truncates());
  }
}
