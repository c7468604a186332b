/**
 * Passbase Verification API v2 on loopback, with invented identities: for tests, the demo and the benchmarks.
 * The same seed always gives the same bytes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { canaries } from "./canary.ts";
import { Counters, type Endpoint } from "./counters.ts";
import { FaultInjector, type Faults } from "./faults.ts";
import { FileStore, type FileStyle, wholeOf } from "./files.ts";
import { Population } from "./population.ts";
import { makeResources } from "./resource.ts";
import { type Answer, answer, BASE_PATH, endpointOf, errorText, identityText } from "./routes.ts";
import { counted, type Interceptor, listen, sendFile, sendJson } from "./send.ts";
import type { WireIdentity, WireResource } from "./wire.ts";

export type { Interceptor } from "./send.ts";

export interface SandboxOptions extends Faults, FileStyle {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** The number of identities at the start. Default 20. */
  readonly identities?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Identities per page unless `limit` (up to 500) says otherwise, and resources per page. Default 50. */
  readonly pageSize?: number | undefined;
  /** Whether resources have files. Default true. */
  readonly files?: boolean | undefined;
  /** Default `sandbox-secret`. */
  readonly apiKey?: string | undefined;
  /** Makes every selfie video this long, in bytes; streamed. Default: its own length. */
  readonly videoBytes?: number | undefined;
  /**
   * Sends one drawing for all documents of a kind, which differ only in a comment chunk. For benchmarks, which would
   * otherwise measure the drawing (some 20 ms per page). Default false.
   */
  readonly plainImages?: boolean | undefined;
}

export interface Sandbox extends AsyncDisposable {
  /** The API's base, `http://127.0.0.1:<port>/verification/v2`. */
  readonly url: string;
  readonly origin: string;
  readonly apiKey: string;
  readonly requests: Counters;
  /** Ids in the order of the list, without deleted ones. */
  ids(): string[];
  /** The identity as the API answers it now, parsed. `review.sequence` is too large for a JavaScript number. */
  identity(index: number): WireIdentity;
  /** The same as the exact text of the answer. */
  text(index: number): string;
  resources(index: number): WireResource[];
  /** The bytes of a file as the API sends them. Not for long videos: it holds them in memory. */
  file(index: number, resourceId: string, fileId: string): Promise<Buffer>;
  /**
   * Changes these identities, or this many: `updated` moves, together with the status (first, third, … change) or a
   * data point (second, fourth, …). `files` captures their files again: new `updated`, new bytes, same ids. Returns the
   * indexes.
   */
  change(which: number | readonly number[], options?: { files?: boolean }): number[];
  /** Deletes identities: not listed, 404. */
  vanish(indexes: readonly number[]): void;
  /** Removes owner, data points, metadata, network and files; id and status stay, and `updated` moves. */
  redact(indexes: readonly number[]): void;
  /** Adds identities at the end of the list; returns their indexes. */
  add(count: number): number[];
  /** Personal strings, ids and the API key, of these identities or of all that ever existed. */
  canaries(indexes?: Iterable<number>): string[];
  setFaults(faults: Faults): void;
  /** Sets a hook that runs before everything else, including authorisation; `undefined` removes it. */
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

const retryHeader = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { "Retry-After": String(seconds) };

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, identities = 20, seed = 1, pageSize = 50, files = true, apiKey = "sandbox-secret" } = options;
  const population = new Population(seed, identities);
  const faults = new FaultInjector(seed, options);
  const store = new FileStore(seed, options);
  const requests = new Counters();
  let hook: Interceptor | undefined;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://sandbox");
    const endpoint: Endpoint = endpointOf(url.pathname);
    const refuse = (status: number, message: string, headers?: Record<string, string>) => {
      requests.count(endpoint, status);
      sendJson(response, status, errorText(status, message), headers);
    };
    if (faults.slow > 0) await delay(faults.slow);
    if (request.headers["x-api-key"] !== apiKey) return refuse(401, "invalid API key");
    if (request.method !== "GET") return refuse(405, "method not allowed", { Allow: "GET" });
    const wait = faults.limit();
    for (const [name, value] of Object.entries(faults.rateHeaders())) response.setHeader(name, value);
    if (wait !== undefined) return refuse(429, "too many requests", retryHeader(wait));
    const failure = faults.fail();
    if (failure === "reset") {
      requests.count(endpoint, "reset");
      request.socket.resetAndDestroy();
      return;
    }
    if (failure === 500) return refuse(500, "internal error");
    if (failure !== undefined) return refuse(failure, "try again later", retryHeader(faults.failureRetryAfter()));

    const found: Answer = answer(population, url, { pageSize, files, withheld: (id) => faults.withheld(id) });
    requests.count(endpoint, found.status);
    if ("text" in found) sendJson(response, found.status, found.text);
    else sendFile(response, store.body(found.content), faults.truncates());
  }

  const { origin, close } = await listen(
    port,
    counted(requests, () => hook, respond),
  );
  const url = origin + BASE_PATH;

  return {
    url,
    origin,
    apiKey,
    requests,
    ids: () => Array.from(population.indexes(), (index) => population.id(index)),
    identity: (index) => JSON.parse(identityText(population, index)) as WireIdentity,
    text: (index) => identityText(population, index),
    resources: (index) => makeResources(population, index, files),
    file: async (index, resourceId, fileId) => {
      const path = `/identity/${population.id(index)}/resources/${resourceId}/resource_files/${fileId}`;
      const found = answer(population, new URL(url + path), { pageSize, files, withheld: () => false });
      if ("text" in found) throw new RangeError(`identity ${index} has no such file`);
      return wholeOf(store.body(found.content));
    },
    change: (which, { files: recapture = false } = {}) => population.change(which, recapture),
    vanish: (indexes) => population.vanish(indexes),
    redact: (indexes) => population.redact(indexes),
    add: (count) => population.add(count),
    canaries: (indexes = Array(population.size).keys()) => canaries(population, indexes, apiKey),
    setFaults: (news) => faults.set(news),
    intercept: (next) => {
      hook = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
