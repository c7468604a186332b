/** The API's host: who asks, how often, in which version and inflection; then the answer, or a fault. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { sendJson } from "../send.ts";
import type { Events } from "./events.ts";
import { personaId } from "./id.ts";
import { type Rights, strip } from "./key.ts";
import { badRequest, broken, forbidden, noKey, Refusal, tooMany, unavailable, wrongKey } from "./refusal.ts";
import { Replays } from "./replay.ts";
import { answer, type Endpoint, endpointOf } from "./routes.ts";
import { Search } from "./search.ts";
import { INFLECTIONS, type Inflection, KEY_DEFAULTS, shape, VERSIONS, type Version } from "./shape.ts";
import type { Telling } from "./telling.ts";
import type { Window } from "./window.ts";
import type { World } from "./world.ts";

export interface ApiOptions {
  readonly world: World;
  readonly events: Events;
  readonly faults: FaultInjector;
  readonly window: Window;
  readonly requests: Counters<Endpoint>;
  readonly apiKey: string;
  readonly rights: () => Rights;
  readonly tell: (answer: number) => Telling;
  /** Persona names no Retry-After; a test that sets `retryAfter` gets one, so that it need not wait. */
  readonly retryAfter: () => number | undefined;
}

const LONGEST_BODY = 100_000;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw badRequest("body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw badRequest("body is not JSON");
  }
}

function pinned<T extends string>(header: string | string[] | undefined, known: readonly T[], otherwise: T): T {
  if (header === undefined) return otherwise;
  const found = known.find((one) => one === header);
  if (found === undefined) throw badRequest(`the sandbox knows ${known.join(", ")}`);
  return found;
}

export class Api {
  readonly #options: ApiOptions;
  readonly #search: Search;
  readonly #replays = new Replays();
  #answers = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#search = new Search(options.world);
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults, requests } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    const endpoint = endpointOf(request.method ?? "GET", url.pathname);
    if (faults.slow > 0) await delay(faults.slow);
    try {
      this.#admit(request, response);
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      const asked = request.method === "POST" ? await bodyOf(request) : "";
      const text = this.#replayed(request, url, asked, () => {
        if (failure === 500) throw broken();
        if (failure === 503) throw unavailable();
        if (failure === 429) throw tooMany(this.#options.window.limit);
        return this.#text(request, url, endpoint, asked);
      });
      requests.count(endpoint, 200);
      sendJson(response, 200, text);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(endpoint, refusal.status);
      const wait = refusal.status === 429 || refusal.status === 503 ? this.#options.retryAfter() : undefined;
      sendJson(response, refusal.status, refusal.body, wait === undefined ? {} : { "Retry-After": String(wait) });
    }
  }

  /** Sets the headers of every authenticated answer, refusals included. */
  #admit(request: IncomingMessage, response: ServerResponse): void {
    const { world, window, apiKey, rights } = this.#options;
    const key = request.headers.authorization;
    if (key === undefined) throw noKey();
    if (key !== `Bearer ${apiKey}`) throw wrongKey();
    this.#answers++;
    const within = window.take();
    const headers = {
      "Request-Id": personaId(world.seed, "req", this.#answers),
      "Persona-Environment-Id": personaId(world.seed, "env", 0),
      "Persona-Organization-Id": personaId(world.seed, "org", 0),
      ...window.headers(),
    };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!within) throw tooMany(window.limit);
    if (!rights().addressAllowed) throw forbidden("IP address is not permitted access to current environment");
  }

  #replayed(request: IncomingMessage, url: URL, asked: string, make: () => string): string {
    const key = request.headers["idempotency-key"];
    if (request.method !== "POST" || typeof key !== "string") return make();
    const known = this.#replays.find(key, url.href + asked);
    if (known) {
      if (known.refusal) throw known.refusal;
      return known.text;
    }
    try {
      const text = make();
      this.#replays.keep(key, url.href + asked, { text });
      return text;
    } catch (error) {
      if (error instanceof Refusal) this.#replays.keep(key, url.href + asked, { text: "", refusal: error });
      throw error;
    }
  }

  #text(request: IncomingMessage, url: URL, endpoint: Endpoint, asked: string): string {
    const { world, events, window, tell } = this.#options;
    const rights = this.#options.rights();
    const version: Version = pinned(request.headers["persona-version"], VERSIONS, KEY_DEFAULTS.version);
    const inflection: Inflection = pinned(request.headers["key-inflection"], INFLECTIONS, KEY_DEFAULTS.inflection);
    const telling = tell(this.#answers);
    const body = parsed(asked);
    const found = answer(endpoint, {
      ...{ world, telling, events, window, rights, version, url, body },
      search: this.#search,
    });
    return JSON.stringify(shape(strip(found, rights.blocklist) as Record<string, unknown>, version, inflection));
  }
}
