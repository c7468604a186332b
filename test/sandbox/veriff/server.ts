/**
 * Veriff's Public API v1 on loopback, beside the other sandboxes: the same invented people, pictures and clip from the
 * same seed. One sandbox is one integration, with a key and a secret of its own. docs: `npm run sandbox -- --help`.
 */
import { Counters } from "../counters.ts";
import { FaultInjector, type Faults } from "../faults.ts";
import { type FileStyle, wholeOf } from "../files.ts";
import { counted, type Interceptor, listen } from "../send.ts";
import { Api, type Signs } from "./api.ts";
import { canaries } from "./canary.ts";
import { course } from "./course.ts";
import { veriffId } from "./id.ts";
import {
  hasDecision,
  hasRegistry,
  makeAttempts,
  makeDecision,
  makeMedia,
  makePerson,
  makeRegistry,
  makeWatchlist,
  type Wire,
} from "./objects.ts";
import { BASE_PATH, type Endpoint } from "./routes.ts";
import { Shelf } from "./shelf.ts";
import { type Part, World, type WorldOptions } from "./world.ts";

export interface VeriffOptions extends Omit<Faults, "rateHeaders">, FileStyle, Partial<WorldOptions> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** The number of sessions at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** What Veriff calls the API key. Default: a UUID of this sandbox. */
  readonly integrationKey?: string | undefined;
  /** The shared secret. Default: a UUID of this sandbox. */
  readonly apiKey?: string | undefined;
  /** Under which names answers are signed. Default both. */
  readonly signs?: Signs | undefined;
  /** Whose id the request for a medium signs. Default the medium's own. */
  readonly mediaSignedBy?: "media" | "session" | undefined;
}

export interface StoredFile {
  readonly id: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface Veriff extends AsyncDisposable {
  /** The API's base, `http://127.0.0.1:<port>/v1`. */
  readonly url: string;
  readonly integrationKey: string;
  readonly apiKey: string;
  readonly requests: Counters<Endpoint>;
  /** Ids of the sessions that can be read, oldest first. Veriff itself lists them nowhere. */
  ids(): string[];
  id(index: number): string;
  attemptIds(index: number): string[];
  decision(index: number): Wire;
  /** All answers about a session: what a full dossier must hold. */
  objects(index: number): readonly Wire[];
  /** The media of all its attempts. */
  files(index: number): Promise<StoredFile[]>;
  /** Changes these sessions, or this many; default the decision. */
  change(which: number | readonly number[], options?: { part?: Part }): number[];
  /** DELETE: 404 at once, the media too. */
  remove(indexes: readonly number[]): void;
  /** Adds sessions, the newest; returns their indexes. */
  add(count: number): number[];
  /** Personal strings, ids and the secret. */
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: Omit<Faults, "rateHeaders">): void;
  /** Sets a hook that runs before everything else; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const DAY = 86_400_000;
/** What an id names that no session has. */
const KEY = { integrationKey: 0xffff_fff0, apiKey: 0xffff_fff1 };

export async function startVeriff(options: VeriffOptions = {}): Promise<Veriff> {
  const { seed = 1, clock = Date.now, retention = 90 * DAY, unopened = 0, screens = true, registries = [] } = options;
  const {
    integrationKey = veriffId(seed, "session", KEY.integrationKey),
    signs = "both",
    mediaSignedBy = "media",
  } = options;
  const { apiKey = veriffId(seed, "session", KEY.apiKey) } = options;
  const world = new World(seed, options.identities ?? 20, { clock, retention, unopened, screens, registries });
  const shelf = new Shelf(world, options);
  const requests = new Counters<Endpoint>();
  const faults = new FaultInjector(seed, options);
  let retryAfter = options.retryAfter;
  let hook: Interceptor | undefined;
  let api: Api | undefined;

  const front = await listen(
    options.port ?? 0,
    counted(
      requests,
      () => hook,
      (request, response) => api!.respond(request, response),
    ),
  );
  const url = front.origin + BASE_PATH;
  api = new Api({
    about: { world, shelf, base: url },
    ...{ faults, requests, integrationKey, apiKey, signs, mediaSignedBy, retryAfter: () => retryAfter },
  });
  const media = (index: number) => course(world, index).attempts.map((_, attempt) => shelf.of(index, attempt));
  const all = () => Array.from({ length: world.size }, (_, index) => index);
  const close = () => front.close();

  return {
    ...{ url, integrationKey, apiKey, requests },
    ids: () => all().flatMap((index) => (world.has(index) ? [veriffId(seed, "session", index)] : [])),
    id: (index) => veriffId(seed, "session", index),
    attemptIds: (index) => course(world, index).attempts.map((_, at) => veriffId(seed, "attempt", index, at)),
    decision: (index) => makeDecision(world, index),
    objects: (index) => [
      makeDecision(world, index),
      makeAttempts(world, index),
      ...media(index).map((of) => makeMedia(shelf, of, url)),
      makePerson(world, index),
      ...(screens && hasDecision(world, index) ? [makeWatchlist(world, index)] : []),
      ...(hasRegistry(world, index) ? registries.map((registry) => makeRegistry(world, index, registry)) : []),
    ],
    files: (index) =>
      Promise.all(
        media(index)
          .flat()
          .map(async (medium) => {
            const body = shelf.body(medium);
            return { id: shelf.id(medium), mediaType: body.mediaType, bytes: await wholeOf(body) };
          }),
      ),
    change: (which, { part = "decision" } = {}) => {
      const chosen = typeof which === "number" ? world.scattered(which) : [...which];
      for (const index of chosen) world.change(index, part);
      return chosen;
    },
    remove: (indexes) => {
      for (const index of indexes) world.remove(index);
    },
    add: (count) => world.add(count),
    canaries: (indexes = all()) => canaries(world, shelf, indexes, apiKey),
    setFaults: (news) => {
      faults.set(news);
      if ("retryAfter" in news) retryAfter = news.retryAfter;
    },
    intercept: (next) => {
      hook = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
