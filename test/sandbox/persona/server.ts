/**
 * Persona's API v1 on loopback, beside the sandbox of Passbase: the same invented people, pictures and clip from the
 * same seed. Two listeners, because Persona's files are on a host of their own. docs: `npm run sandbox -- --help`.
 */
import { Counters } from "../counters.ts";
import { FaultInjector, type Faults } from "../faults.ts";
import { type FileStyle, wholeOf } from "../files.ts";
import { counted, type Interceptor, listen } from "../send.ts";
import { Api } from "./api.ts";
import { canaries } from "./canary.ts";
import { Events } from "./events.ts";
import { filesHost } from "./host.ts";
import { personaId } from "./id.ts";
import { makeInquiry } from "./inquiry.ts";
import { RIGHTS, type Rights } from "./key.ts";
import { findObject } from "./objects.ts";
import { BASE_PATH, type Endpoint } from "./routes.ts";
import { Shelf } from "./slot.ts";
import { Telling } from "./telling.ts";
import { Window } from "./window.ts";
import type { Wire } from "./wire.ts";
import { type Part, World, type WorldOptions } from "./world.ts";

/** Persona limits requests per minute; `limit` replaces the per-second `rate` of the other sandbox. */
export interface PersonaFaults extends Omit<Faults, "rate" | "rateHeaders"> {
  /** Requests per minute. Default a million: a test should not wait. Persona's own default is 300. */
  readonly limit?: number | undefined;
}

export interface PersonaOptions extends PersonaFaults, FileStyle, Partial<WorldOptions> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly filesPort?: number | undefined;
  /** The number of inquiries at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Default `persona_sandbox_00000000-0000-4000-8000-000000000000`. */
  readonly apiKey?: string | undefined;
}

export interface Persona extends AsyncDisposable {
  /** The API's base, `http://127.0.0.1:<port>/api/v1`. */
  readonly url: string;
  readonly filesOrigin: string;
  readonly apiKey: string;
  readonly requests: Counters<Endpoint>;
  /** Requests to the files' host that carried the key or an Authorization header. A client must leave it empty. */
  readonly leaks: readonly string[];
  /** Ids of the inquiries, oldest first, without deleted ones. */
  ids(): string[];
  /** Any object as the API has it now, kebab case, arrays in the order they were made. Undefined if it answers 404. */
  object(id: string): Wire | undefined;
  inquiry(index: number): Wire;
  /** The bytes behind a file's URL or name. */
  file(url: string): Promise<Buffer>;
  /**
   * Changes these inquiries, or this many: the status (default), a field, the checks of a verification, a report, or
   * the account. The last three do not move the inquiry's `updated-at`. `files` captures the pictures again.
   */
  change(which: number | readonly number[], options?: { part?: Part; files?: boolean }): number[];
  /** Deletes inquiries: not listed, 404. */
  vanish(indexes: readonly number[]): void;
  /** Redacts inquiries at once, what hangs on them later; `account` redacts their accounts, with all their inquiries. */
  redact(indexes: readonly number[], options?: { account?: boolean }): void;
  /** Adds inquiries, the newest; returns their indexes. */
  add(count: number): number[];
  /** Limits what the key may do and see. */
  restrict(rights: Partial<Rights>): void;
  /** Personal strings, ids, the key and what all tokens begin with. */
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: PersonaFaults): void;
  /** Sets a hook that runs before everything else, on both hosts; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const CHANGED: Readonly<Record<Part, string>> = {
  status: "inquiry.transitioned",
  field: "inquiry.transitioned",
  checks: "verification.passed",
  report: "report/watchlist.ready",
  account: "account.updated-fields",
};
const UNLIMITED = 1_000_000;

export async function startPersona(options: PersonaOptions = {}): Promise<Persona> {
  const { seed = 1, apiKey = "persona_sandbox_00000000-0000-4000-8000-000000000000" } = options;
  const { clock = Date.now, searchDelay = 60_000, redactDelay = 3_600_000, repeats = 10 } = options;
  const world = new World(seed, options.identities ?? 20, { clock, searchDelay, redactDelay, repeats });
  const events = new Events(world);
  const shelf = new Shelf(world, options);
  const window = new Window(options.limit ?? UNLIMITED, clock);
  const requests = new Counters<Endpoint>();
  const faults = new FaultInjector(seed, { ...options, rate: undefined });
  let retryAfter = options.retryAfter;
  let rights = RIGHTS;
  let hook: Interceptor | undefined;

  const host = filesHost({ world, shelf, faults, requests, apiKey });
  const files = await listen(options.filesPort ?? 0, (request, response) => {
    if (!hook?.(request, response)) return host.respond(request, response);
  });
  const tell = (answer: number) =>
    new Telling({ seed, shelf, filesOrigin: files.origin, expires: clock() + rights.fileSeconds * 1000 }, answer);
  const api = new Api({
    ...{ world, events, faults, window, requests, apiKey, tell },
    rights: () => rights,
    retryAfter: () => retryAfter,
  });
  const front = await listen(
    options.port ?? 0,
    counted(
      requests,
      () => hook,
      (request, response) => api.respond(request, response),
    ),
  ).catch(async (error: unknown) => {
    await files.close();
    throw error;
  });

  const object = (id: string) => findObject(world, tell(0), id);
  const inquiry = (index: number) => makeInquiry(world, tell(0), index);
  /** The object that an event about this part of an inquiry shows. */
  const shown = (index: number, part: Part): Wire => {
    const kind = { status: "inq", field: "inq", checks: "ver", report: "rep", account: "act" }[part];
    return object(personaId(seed, kind, part === "account" ? world.base(index) : index)) ?? inquiry(index);
  };
  const close = async () => {
    await Promise.all([front.close(), files.close()]);
  };

  return {
    url: front.origin + BASE_PATH,
    filesOrigin: files.origin,
    apiKey,
    requests,
    leaks: host.leaks,
    ids: () =>
      Array.from({ length: world.size }, (_, index) => index)
        .filter((index) => world.has(index))
        .map((index) => personaId(seed, "inq", index)),
    object,
    inquiry,
    file: async (url) => {
      const slot = shelf.find(URL.parse(url)?.pathname.slice(1) ?? url);
      if (!slot) throw new RangeError("there is no such file");
      return wholeOf(shelf.body(slot));
    },
    change: (which, { part = "status", files: recapture = false } = {}) => {
      const chosen = typeof which === "number" ? world.scattered(which) : [...which];
      for (const index of chosen) {
        world.change(index, part, recapture);
        events.add(CHANGED[part], shown(index, part));
      }
      return chosen;
    },
    vanish: (indexes) => {
      for (const index of indexes) world.vanish(index);
    },
    redact: (indexes, { account = false } = {}) => {
      const all = account ? indexes.flatMap((index) => world.inquiriesOf(world.base(index))) : indexes;
      for (const index of new Set(all)) {
        world.redact(index, account);
        events.add("inquiry.redacted", inquiry(index), clock() + redactDelay); // when everything below is done too
      }
    },
    add: (count) => {
      const indexes = world.add(count);
      for (const index of indexes) events.add("inquiry.created", inquiry(index));
      return indexes;
    },
    restrict: (news) => {
      rights = { ...rights, ...news };
    },
    canaries: (indexes = Array(world.size).keys()) => canaries(world, indexes, apiKey),
    setFaults: ({ limit, ...news }) => {
      faults.set(news);
      if ("retryAfter" in news) retryAfter = news.retryAfter;
      window.limit = limit ?? window.limit;
    },
    intercept: (next) => {
      hook = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
