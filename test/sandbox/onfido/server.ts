/**
 * Onfido's API v3.6 on loopback, beside the other sandboxes: the same invented people, pictures and clip from the same
 * seed. Two listeners, because evidence files are on another host. docs: `npm run sandbox -- --help`.
 */
import { Counters } from "../counters.ts";
import { FaultInjector, type Faults } from "../faults.ts";
import { type FileBody, type FileStyle, wholeOf } from "../files.ts";
import { Window } from "../persona/window.ts";
import { counted, type Interceptor, listen } from "../send.ts";
import { Api } from "./api.ts";
import { canaries } from "./canary.ts";
import { signatureOf } from "./course.ts";
import { objectsOf } from "./everything.ts";
import { evidenceHost } from "./host.ts";
import { onfidoId } from "./id.ts";
import { type Credentials, Keys } from "./keys.ts";
import { BASE_PATH, makeApplicant, type Wire } from "./objects.ts";
import { idsOf } from "./paging.ts";
import type { Endpoint } from "./routes.ts";
import { makeRun } from "./run.ts";
import { signed } from "./secret.ts";
import { MEDIA, pathOf, Shelf, type Slot } from "./shelf.ts";
import { type Part, World, type WorldOptions } from "./world.ts";

/** Onfido limits requests per minute; `limit` replaces the per-second `rate` of Passbase's sandbox. */
export interface OnfidoFaults extends Omit<Faults, "rate" | "rateHeaders"> {
  /** Requests per minute. Default a million: a test should not wait. Onfido's own default is 400. */
  readonly limit?: number | undefined;
}

export interface OnfidoOptions extends OnfidoFaults, FileStyle, Partial<WorldOptions>, Partial<Credentials> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly filesPort?: number | undefined;
  /** The number of applicants at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** How long a signed URL opens, and an access token is valid, in seconds. Defaults 60 and 3600. */
  readonly urlSeconds?: number | undefined;
  readonly accessSeconds?: number | undefined;
}

export interface StoredFile {
  readonly slot: Slot;
  /** Below the API's base: `documents/…/download`. */
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface Onfido extends AsyncDisposable, Credentials {
  /** The API's base, `http://127.0.0.1:<port>/v3.6`. */
  readonly url: string;
  readonly filesOrigin: string;
  readonly requests: Counters<Endpoint>;
  /** Requests to the evidence's host that carried a key or an Authorization header. A client must leave it empty. */
  readonly leaks: readonly string[];
  /** Ids of the applicants, oldest first, without deleted ones. */
  ids(): string[];
  id(index: number): string;
  applicant(index: number): Wire;
  run(index: number): Wire | undefined;
  /** The applicant with all its objects, as the API shows them; without the SDK token, which it makes again. */
  objects(index: number): readonly unknown[];
  /** All files of an applicant that are no copy or part of another one: without frames and check PDFs. */
  files(index: number): Promise<StoredFile[]>;
  /** Changes these applicants, or this many; default the run. `files` captures documents and faces again. */
  change(which: number | readonly number[], options?: { part?: Part; files?: boolean }): number[];
  /** Captures documents and faces again. */
  recapture(indexes: readonly number[]): void;
  /** DELETE: 410, and listed with `delete_at` if `include_deleted` is asked for, until the deletion delay is over. */
  remove(indexes: readonly number[]): void;
  restore(indexes: readonly number[]): void;
  /** As after the deletion delay: 404, and in no list. */
  vanish(indexes: readonly number[]): void;
  /** Adds applicants, the newest; returns their indexes. */
  add(count: number): number[];
  /** Ends all access tokens. */
  revoke(): void;
  /** Personal strings, ids, keys and what all tokens begin with. */
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: OnfidoFaults): void;
  /** Sets a hook that runs before everything else, on both hosts; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const UNLIMITED = 1_000_000;
const DAY = 86_400_000;

export async function startOnfido(options: OnfidoOptions = {}): Promise<Onfido> {
  const { seed = 1, clock = Date.now, deletionDelay = 30 * DAY, evidenceDelay = 0 } = options;
  const { urlSeconds = 60, accessSeconds = 3_600 } = options;
  const credentials: Credentials = {
    apiKey: options.apiKey ?? "api_sandbox.00000000000.00000000000000000000000000000000",
    clientId: options.clientId ?? "sandbox-client",
    clientSecret: options.clientSecret ?? "sandbox-client-secret-00000000",
  };
  const world = new World(seed, options.identities ?? 20, { clock, deletionDelay, evidenceDelay });
  const shelf = new Shelf(world, options);
  const window = new Window(options.limit ?? UNLIMITED, clock);
  const requests = new Counters<Endpoint>();
  const faults = new FaultInjector(seed, { ...options, rate: undefined });
  const keys = new Keys(world, credentials, accessSeconds);
  let retryAfter = options.retryAfter;
  let hook: Interceptor | undefined;

  const host = evidenceHost({ world, shelf, faults, requests, credentials });
  const files = await listen(options.filesPort ?? 0, (request, response) => {
    if (!hook?.(request, response)) return host.respond(request, response);
  });
  const signedUrl = (path: string) => `${files.origin}${path}?${signed(seed, path, clock() + urlSeconds * 1000)}`;
  const api = new Api({
    about: { world, shelf, signedUrl },
    ...{ faults, window, requests, keys, retryAfter: () => retryAfter },
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
  const close = async () => {
    await Promise.all([front.close(), files.close()]);
  };
  const stored = async (slot: Slot, index: number, at: number): Promise<StoredFile> => {
    const body: FileBody = shelf.body(slot, index, at);
    return { slot, path: pathOf(world, slot, index, at), mediaType: body.mediaType, bytes: await wholeOf(body) };
  };

  return {
    ...credentials,
    url: front.origin + BASE_PATH,
    filesOrigin: files.origin,
    requests,
    leaks: host.leaks,
    ids: () => idsOf(world),
    id: (index) => onfidoId(seed, "applicant", index),
    applicant: (index) => makeApplicant(world, index),
    run: (index) => makeRun(world, shelf, index, 0),
    objects: (index) => objectsOf(world, shelf, index),
    files: (index) =>
      Promise.all([
        ...shelf
          .documents(index)
          .flatMap((at) => [
            stored("document", index, at),
            ...(shelf.hasChip(index, at) ? [stored("nfc_face", index, at)] : []),
            ...(shelf.isFilmed(index, at) ? [stored("video", index, at)] : []),
          ]),
        ...MEDIA.flatMap((medium) => shelf.media(medium, index).map((at) => stored(medium, index, at))),
        ...(shelf.hasEvidence(index) ? [stored("evidence", index, 0)] : []),
        ...(signatureOf(world, index)?.files ?? []).map((at) => stored("signed", index, at)),
      ]),
    change: (which, { part = "run", files: recapture = false } = {}) => {
      const chosen = typeof which === "number" ? world.scattered(which) : [...which];
      for (const index of chosen) world.change(index, part, recapture);
      return chosen;
    },
    recapture: (indexes) => {
      for (const index of indexes) world.recapture(index);
    },
    remove: (indexes) => {
      for (const index of indexes) world.remove(index);
    },
    restore: (indexes) => {
      for (const index of indexes) world.restore(index);
    },
    vanish: (indexes) => {
      for (const index of indexes) world.erase(index);
    },
    add: (count) => world.add(count),
    revoke: () => keys.revoke(),
    canaries: (indexes = Array(world.size).keys()) => canaries(world, shelf, indexes, credentials),
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
