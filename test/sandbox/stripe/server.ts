/**
 * Stripe Identity on loopback, beside the sandbox of Passbase: the same invented people and pictures from the same seed.
 * Two listeners, because Stripe's files are on a host of their own. docs: `npm run sandbox -- --help`.
 */
import type { ServerResponse } from "node:http";
import { Counters } from "../counters.ts";
import { FaultInjector, type Faults } from "../faults.ts";
import { type FileStyle, wholeOf } from "../files.ts";
import { type Interceptor, listen } from "../send.ts";
import { Api } from "./api.ts";
import { canaries } from "./canary.ts";
import { course } from "./course.ts";
import { Events } from "./events.ts";
import type { Tree } from "./expand.ts";
import { FilesHost } from "./host.ts";
import { stripeId } from "./id.ts";
import { RIGHTS, type Rights } from "./key.ts";
import { type LimitOptions, Limits } from "./limits.ts";
import { makeReport } from "./report.ts";
import type { Endpoint } from "./routes.ts";
import { makeSession } from "./session.ts";
import { Shelf } from "./slot.ts";
import type { Report, Session } from "./wire.ts";
import { type Part, World, type WorldOptions } from "./world.ts";

export interface StripeFaults extends Omit<Faults, "rate" | "rateHeaders">, LimitOptions {}

export interface StripeOptions extends StripeFaults, FileStyle, Partial<WorldOptions> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly filesPort?: number | undefined;
  /** The number of sessions at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Default `rk_test_` and 24 zeros. A key that begins with `rk_live_` makes everything live. */
  readonly apiKey?: string | undefined;
  /** Whether the sessions belong to a connected account, which a request must name in `Stripe-Account`. */
  readonly connected?: boolean | undefined;
  /** Milliseconds until an event can be listed. Default 0. */
  readonly eventDelay?: number | undefined;
  /** Whether `/v1/events` also names completed requests to redact. Default false: do not count on it. */
  readonly redactionEvents?: boolean | undefined;
}

export interface StripeSandbox extends AsyncDisposable {
  /** The API's base, `http://127.0.0.1:<port>/v1`. */
  readonly url: string;
  readonly origin: string;
  readonly filesOrigin: string;
  readonly apiKey: string;
  /** The account that has the sessions. */
  readonly account: string;
  readonly requests: Counters<Endpoint>;
  /** Requests by a file link that carried the key. A client must leave it empty. */
  readonly leaks: readonly string[];
  /** Ids of the sessions, oldest first. */
  ids(): string[];
  /** As a key with all rights sees them now, everything expanded. */
  session(index: number): Session;
  reports(index: number): Report[];
  /** The bytes of a file; undefined if the API answers 404 for it. */
  file(id: string): Promise<Buffer | undefined>;
  /**
   * Changes these sessions, or this many: the status (default), a new attempt with pictures of its own, or the
   * metadata, of which no event tells.
   */
  change(which: number | readonly number[], options?: { part?: Part }): number[];
  /** Takes sessions away: not listed, 404. Stripe itself deletes none. */
  vanish(indexes: readonly number[]): void;
  /** Asks for redaction. The data is gone when the clock is `redactDelay` later. */
  redact(indexes: readonly number[]): void;
  /** Adds sessions, the newest; returns their indexes. */
  add(count: number): number[];
  /** Limits what the key may do and see. */
  restrict(rights: Partial<Rights>): void;
  /** Personal strings, ids, the key and what secrets in answers contain. */
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: StripeFaults): void;
  /** Sets a hook that runs before everything else, on both hosts; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const NONE: Tree = new Map();
/** Names everything: a tree that has every name, at every depth. */
const ALL = new (class extends Map<string, Tree> {
  override has() {
    return true;
  }
  override get(): Tree {
    return this;
  }
})();

export async function startStripe(options: StripeOptions = {}): Promise<StripeSandbox> {
  const { seed = 1, apiKey = `rk_test_${"0".repeat(24)}`, eventDelay = 0, redactionEvents = false } = options;
  const { clock = Date.now, redactDelay = 4 * 86_400_000, repeats = 10 } = options;
  const live = apiKey.startsWith("rk_live_");
  const world = new World(seed, options.identities ?? 20, { clock, redactDelay, repeats });
  const empty = new World(seed, 0, { clock, redactDelay, repeats });
  const connected = options.connected ? stripeId(seed, "acct", 1) : undefined;
  const events = new Events(world, eventDelay);
  const shelf = new Shelf(world, options);
  const requests = new Counters<Endpoint>();
  const faults = new FaultInjector(seed, { ...options, rate: undefined });
  let inFlight = 0;
  const limits = new Limits(seed, options, () => inFlight);
  let retryAfter = options.retryAfter;
  let rights = RIGHTS;
  let hook: Interceptor | undefined;

  const shared = { world, shelf, faults, limits, requests, apiKey, connected, rights: () => rights };
  const filesHost = new FilesHost(shared);
  const dated = (response: ServerResponse) => response.setHeader("Date", new Date(clock()).toUTCString());
  const files = await listen(options.filesPort ?? 0, (request, response) => {
    dated(response);
    if (!hook?.(request, response)) return filesHost.respond(request, response);
  });
  const api = new Api({
    ...shared,
    ...{ empty, events, live, filesOrigin: files.origin },
    retryAfter: () => retryAfter,
  });
  const front = await listen(options.port ?? 0, (request, response) => {
    dated(response);
    requests.begin();
    inFlight++;
    response.once("close", () => {
      requests.end();
      inFlight--;
    });
    if (!hook?.(request, response)) return api.respond(request, response);
  }).catch(async (error: unknown) => {
    await files.close();
    throw error;
  });

  const session = (index: number, tree: Tree = ALL) =>
    makeSession({ world, live, expanded: tree, sensitive: tree, answer: 0 }, index)!;
  const tell = (index: number, what: string) =>
    events.add(`identity.verification_session.${what}`, index, session(index, NONE));
  const close = async () => {
    await Promise.all([front.close(), files.close()]);
  };

  return {
    url: `${front.origin}/v1`,
    origin: front.origin,
    filesOrigin: files.origin,
    apiKey,
    account: connected ?? stripeId(seed, "acct", 0),
    requests,
    leaks: filesHost.leaks,
    ids: () =>
      Array.from({ length: world.size }, (_, index) => index)
        .filter((index) => world.has(index))
        .map((index) => stripeId(seed, "vs", index)),
    session,
    reports: (index) =>
      Array.from(course(world, index).attempts, (_, at) => makeReport({ world, live, sensitive: ALL }, index, at)!),
    file: async (id) => {
      const slot = shelf.find(id);
      if (!slot) return undefined;
      return wholeOf(shelf.body(slot));
    },
    change: (which, { part = "status" } = {}) => {
      const chosen = typeof which === "number" ? world.scattered(which) : [...which];
      for (const index of chosen) {
        world.change(index, part);
        if (part !== "metadata") tell(index, course(world, index).status);
      }
      return chosen;
    },
    vanish: (indexes) => {
      for (const index of indexes) world.vanish(index);
    },
    redact: (indexes) => {
      for (const index of indexes) {
        world.redact(index);
        if (redactionEvents) tell(index, "redacted");
      }
    },
    add: (count) => {
      const indexes = world.add(count);
      for (const index of indexes) tell(index, "created");
      return indexes;
    },
    restrict: (news) => {
      rights = { ...rights, ...news };
    },
    canaries: (indexes = Array(world.size).keys()) => canaries(world, indexes, apiKey),
    setFaults: ({ rate, endpointRate, concurrency, ...news }) => {
      faults.set(news);
      if ("retryAfter" in news) retryAfter = news.retryAfter;
      limits.set({ rate, endpointRate, concurrency });
    },
    intercept: (next) => {
      hook = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
