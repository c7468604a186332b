/**
 * Sumsub's API on loopback, beside the other sandboxes: the same invented people, pictures and clip from the same seed.
 * It has no list of applicants. docs: `npm run sandbox -- --help`.
 */
import { Counters } from "../counters.ts";
import { FaultInjector, type Faults } from "../faults.ts";
import { type FileBody, type FileStyle, wholeOf } from "../files.ts";
import { Window } from "../persona/window.ts";
import { counted, type Interceptor, listen } from "../send.ts";
import { Api } from "./api.ts";
import { makeApplicant } from "./applicant.ts";
import { canaries } from "./canary.ts";
import { personOf, type Wire } from "./course.ts";
import { sumsubId } from "./id.ts";
import { everythingOf } from "./parts.ts";
import { Shelf, type Slot } from "./shelf.ts";
import { ALL_RIGHTS, type Credentials, type Rights } from "./token.ts";
import { type Part, World, type WorldOptions } from "./world.ts";

/** Sumsub's own limits; `limit` replaces the per-second `rate` of Passbase's sandbox. */
export interface SumsubFaults extends Omit<Faults, "rate" | "rateHeaders"> {
  /** Requests in 5 seconds. Default a million: a test should not wait. Sumsub's own limit is 300. */
  readonly limit?: number | undefined;
  /** AML cases in a minute. Default a million; Sumsub's own limit is 10. */
  readonly amlLimit?: number | undefined;
}

export interface SumsubOptions extends SumsubFaults, FileStyle, Partial<WorldOptions>, Partial<Credentials> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** The number of applicants at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** What the app token may see. Default: everything, without a watermark. */
  readonly rights?: Partial<Rights> | undefined;
}

export interface StoredFile {
  readonly slot: Slot;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface Sumsub extends AsyncDisposable, Credentials {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly requests: Counters<string>;
  /** Ids of the applicants, oldest first. */
  ids(): string[];
  id(index: number): string;
  /** The client's own reference, `externalUserId`. */
  reference(index: number): string;
  applicant(index: number): Wire;
  /** The applicant with all its parts, as the API shows them. */
  objects(index: number): readonly unknown[];
  /** All files of an applicant: images of all attempts, of its actions, and the recording of a video call. */
  files(index: number): Promise<StoredFile[]>;
  /** Changes these applicants, or this many; default the review. `files` sends documents and faces again. */
  change(which: number | readonly number[], options?: { part?: Part; files?: boolean }): number[];
  recapture(indexes: readonly number[]): void;
  /** The profile says `deleted: true` from then on, and keeps everything. */
  deactivate(indexes: readonly number[], isDeactivated?: boolean): void;
  /** Deletes the personal data: the applicants stay. */
  redact(indexes: readonly number[]): void;
  /** Deletes the applicants: 404. */
  vanish(indexes: readonly number[]): void;
  /** Adds applicants; returns their indexes. */
  add(count: number): number[];
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: SumsubFaults): void;
  /** Changes what the app token may see. */
  setRights(rights: Partial<Rights>): void;
  /** Sets a hook that runs before everything else; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const UNLIMITED = 1_000_000;
/** What Sumsub documents. */
export const LIMITS = { limit: 300, amlLimit: 10 };

export async function startSumsub(options: SumsubOptions = {}): Promise<Sumsub> {
  const { seed = 1, clock = Date.now, recordingDelay = 0 } = options;
  const credentials: Credentials = {
    appToken: options.appToken ?? "sbx:sandbox-token",
    apiKey: options.apiKey ?? "sandbox-secret-0000000000000000",
  };
  const world = new World(seed, options.identities ?? 20, { clock, recordingDelay });
  const shelf = new Shelf(world, options);
  const windows = {
    all: new Window(options.limit ?? UNLIMITED, clock, 5_000),
    aml: new Window(options.amlLimit ?? UNLIMITED, clock),
  };
  const requests = new Counters<string>();
  const faults = new FaultInjector(seed, { ...options, rate: undefined });
  let rights: Rights = { ...ALL_RIGHTS, ...options.rights };
  let retryAfter = options.retryAfter;
  let hook: Interceptor | undefined;

  const api = new Api({
    about: { world, shelf },
    ...{ faults, windows, requests, credentials, rights: () => rights, retryAfter: () => retryAfter },
  });
  const front = await listen(
    options.port ?? 0,
    counted(
      requests,
      () => hook,
      (request, response) => api.respond(request, response),
    ),
  );
  const stored = async (slot: Slot, body: FileBody): Promise<StoredFile> => ({
    slot,
    mediaType: body.mediaType,
    bytes: await wholeOf(body),
  });
  const fated = (indexes: readonly number[], news: Parameters<World["set"]>[1]): void => {
    for (const index of indexes) world.set(index, news);
  };

  return {
    ...credentials,
    url: front.origin,
    requests,
    ids: () => world.here().map((index) => sumsubId(seed, "applicant", index)),
    id: (index) => sumsubId(seed, "applicant", index),
    reference: (index) => personOf(world, index).customer,
    applicant: (index) => makeApplicant(world, index),
    objects: (index) => everythingOf(world, shelf, index, makeApplicant(world, index)),
    files: (index) => {
      const images = [...shelf.images(index), ...shelf.actions(index).map((at) => shelf.imageOf(at))];
      return Promise.all([
        ...images.map((at) => stored(shelf.shown(index, at).slot, shelf.body(index, at))),
        ...(shelf.isRecorded(index) ? [stored("call", shelf.call(index))] : []),
      ]);
    },
    change: (which, { part = "review", files = false } = {}) => {
      const chosen = typeof which === "number" ? world.scattered(which) : [...which];
      for (const index of chosen) {
        world.change(index, part);
        if (files) world.recapture(index);
      }
      return chosen;
    },
    recapture: (indexes) => {
      for (const index of indexes) world.recapture(index);
    },
    deactivate: (indexes, deactivated = true) => fated(indexes, { deactivated }),
    redact: (indexes) => fated(indexes, { redacted: true }),
    vanish: (indexes) => fated(indexes, { gone: true }),
    add: (count) => world.add(count),
    canaries: (indexes = Array(world.size).keys()) => canaries(world, shelf, indexes, credentials),
    setFaults: ({ limit, amlLimit, ...news }) => {
      faults.set(news);
      if ("retryAfter" in news) retryAfter = news.retryAfter;
      windows.all.limit = limit ?? windows.all.limit;
      windows.aml.limit = amlLimit ?? windows.aml.limit;
    },
    setRights: (news) => {
      rights = { ...rights, ...news };
    },
    intercept: (next) => {
      hook = next;
    },
    close: () => front.close(),
    [Symbol.asyncDispose]: () => front.close(),
  };
}
