/** The API's host: who asks, how often, in which version, for which account; then the answer, or a fault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { Random } from "../random.ts";
import { sendJson } from "../send.ts";
import type { Events } from "./events.ts";
import { stripeId } from "./id.ts";
import type { Rights } from "./key.ts";
import type { Limits } from "./limits.ts";
import {
  badRequest,
  broken,
  noKey,
  Refusal,
  tooMany,
  unavailable,
  wrongAccount,
  wrongAddress,
  wrongKey,
} from "./refusal.ts";
import { answer, type Endpoint, endpointOf } from "./routes.ts";
import type { Shelf } from "./slot.ts";
import { VERSION } from "./wire.ts";
import type { World } from "./world.ts";

export interface ApiOptions {
  readonly world: World;
  /** What the platform's own account has where the sessions belong to a connected one. */
  readonly empty: World;
  readonly shelf: Shelf;
  readonly events: Events;
  readonly faults: FaultInjector;
  readonly limits: Limits;
  readonly requests: Counters<Endpoint>;
  readonly apiKey: string;
  readonly live: boolean;
  readonly connected: string | undefined;
  readonly rights: () => Rights;
  readonly filesOrigin: string;
  /** Stripe names no Retry-After; a test that sets `retryAfter` gets one, so that it need not wait. */
  readonly retryAfter: () => number | undefined;
}

const LONGEST_BODY = 100_000;
/** What the account answers in if a request names no version. */
const ACCOUNT_VERSION = "2022-11-15";
const REASONS = ["global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency", "resource-specific"];

/** The key of a request, as Bearer or as Basic's user. */
export function keyOf(request: IncomingMessage): string | undefined {
  const [scheme, value = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme === "Bearer") return value;
  return scheme === "Basic" ? Buffer.from(value, "base64").toString().split(":")[0] : undefined;
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw badRequest("The body is too long.");
    chunks.push(chunk);
  }
  if (length > 0 && !request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    throw badRequest("The body must be form-encoded.");
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/**
 * An older version of an answer. What really differed between versions is not known: this makes a client that pins
 * none miss members.
 */
function older(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(older);
  if (typeof value !== "object" || value === null) return value;
  const left = Object.entries(value).filter(([name]) => name !== "redaction" && !name.startsWith("related_customer"));
  return Object.fromEntries(left.map(([name, part]) => [name, older(part)]));
}

export class Api {
  readonly #options: ApiOptions;
  readonly #reasons: Random;
  #answers = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#reasons = new Random(options.world.seed, 350);
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults, requests, limits } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    const endpoint = endpointOf(request.method ?? "GET", url.pathname);
    if (faults.slow > 0) await delay(faults.slow);
    try {
      this.#admit(request, response);
      const reason = limits.take(endpoint);
      if (reason !== undefined) throw tooMany(reason);
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      if (failure === 500) throw broken();
      if (failure === 503) throw unavailable();
      if (failure === 429) throw tooMany(this.#reasons.pick([...REASONS, undefined]));
      const form = request.method === "POST" ? await formOf(request) : new URLSearchParams();
      const text = this.#text(request, url, endpoint, form);
      requests.count(endpoint, 200);
      sendJson(response, 200, text);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(endpoint, refusal.status);
      if (refusal.status === 503) response.setHeader("Stripe-Should-Retry", "true");
      const wait = refusal.status === 429 || refusal.status === 503 ? this.#options.retryAfter() : undefined;
      const headers = { ...refusal.headers, ...(wait === undefined ? {} : { "Retry-After": String(wait) }) };
      sendJson(response, refusal.status, refusal.body, headers);
    }
  }

  #admit(request: IncomingMessage, response: ServerResponse): void {
    const { world, apiKey, rights, connected } = this.#options;
    this.#answers++;
    response.setHeader("Request-Id", stripeId(world.seed, "req", this.#answers));
    response.setHeader("Stripe-Version", request.headers["stripe-version"] ?? ACCOUNT_VERSION);
    const key = keyOf(request);
    if (key === undefined) throw noKey();
    if (key !== apiKey) throw wrongKey(key);
    if (!rights().addressAllowed) throw wrongAddress(key);
    const account = request.headers["stripe-account"];
    if (account !== undefined && account !== (connected ?? stripeId(world.seed, "acct", 0)))
      throw wrongAccount(key, String(account));
  }

  #text(request: IncomingMessage, url: URL, endpoint: Endpoint, form: URLSearchParams): string {
    const { world, empty, connected } = this.#options;
    const version = request.headers["stripe-version"] ?? ACCOUNT_VERSION;
    if (version !== VERSION && version !== ACCOUNT_VERSION) throw badRequest(`Invalid Stripe API version: ${version}`);
    const account = request.headers["stripe-account"];
    const found = answer(endpoint, {
      ...this.#options,
      ...{ url, form, method: request.method ?? "GET", answer: this.#answers },
      world: connected !== undefined && account === undefined ? empty : world,
      account: typeof account === "string" ? account : stripeId(world.seed, "acct", 0),
      rights: this.#options.rights(),
    });
    return JSON.stringify(version === VERSION ? found : older(found));
  }
}
