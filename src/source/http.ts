import { finished } from "node:stream/promises";
import type { Dispatcher } from "undici";
import type { Secret } from "../config/secret.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { dispatcher } from "../net/proxy.ts";
import { type AnswerHeaders, answerHeaders } from "./answer-headers.ts";
import { type Authentication, authorization, usable } from "./authentication.ts";
import { bounded } from "./body.ts";
import { altered, connectionError, isAltered, statusError } from "./http-errors.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Priority } from "./rate/claim.ts";
import { Limits, type LimitsView } from "./rate/limits.ts";
import { SharedLimits } from "./rate/shared-limits.ts";
import { type Answered, type OnWait, OwnStarts, type Starts } from "./rate/starts.ts";
import { Throttle } from "./rate/throttle.ts";
import type { FetchedFile } from "./source.ts";

export type { AnswerHeaders } from "./answer-headers.ts";

/** One request. It only reads, so it may be sent again. */
export interface Call {
  /** Replaces the path in errors and metrics, because a path contains provider ids, and names the answer in the record. */
  readonly name: string;
  /** Below the base URL, with its query. */
  readonly path: string;
  /** The JSON body of a read that is a POST. */
  readonly body?: string;
}

/** What a provider's API wants of every request: its driver knows. */
export interface Api {
  readonly auth: Authentication;
  /** Sent with every request to the API, and nowhere else. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How this client uses an API: its config and the run know. */
export interface HttpOptions {
  readonly url: string;
  readonly apiKey: Secret;
  readonly rate: { readonly count: number; readonly per: number };
  readonly concurrency: number;
  readonly retry: RetryPolicy;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: HoldfastError) => void;
  /** Called for each request: the endpoint, `ok` or the error's code, and the seconds until the answer's headers. */
  readonly onRequest?: ((endpoint: string, outcome: string, seconds: number) => void) | undefined;
  /** Maximum wait for a connection, for headers, and between two chunks of a body, in ms. */
  readonly timeouts?: { readonly connect: number; readonly headers: number; readonly body: number };
  /** Called for each wait of more than a minute that the source requested. */
  readonly onWait?: OnWait;
  /** The maximum size of a file, in bytes. Default 1 GiB: an endless file must not fill the vault. */
  readonly maxFile?: number;
  /** Default: this process keeps its own limits. */
  readonly share?: Share;
  /** Grants the starts instead of this process: then `rate` and `share` are not used. */
  readonly starts?: Starts;
  /** Reads the current key. Called when a key is refused: it may have been rotated. */
  readonly renewKey?: () => Promise<Secret>;
  /** For signatures. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** What processes on this machine share, so that together they keep to one rate. */
export interface Share {
  /** Absolute path of the file with the limits: one per source. */
  readonly path: string;
  /** Default `high`. */
  readonly priority?: Priority;
  /** Called once if the file is unusable: from then on this process keeps its own limits. */
  readonly onTrouble?: (error: HoldfastError) => void;
}

const TIMEOUTS = { connect: 10_000, headers: 30_000, body: 30_000 };
const MAX_FILE = 1024 ** 3;

/**
 * Reads from one API, with limits, timeouts and retries. No error or log shows a path, an answer or the key: errors and
 * metrics have the call's name.
 */
export class Http {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #base: string;
  readonly #throttle: Throttle;
  readonly #options: HttpOptions & Api;
  #key: Secret;
  #requests = 0;
  /** The renewal in progress: other requests whose key was refused wait for it. */
  #renewing: Promise<void> | undefined;

  constructor(options: HttpOptions & Api) {
    this.#key = usable(options.apiKey);
    const url = new URL(options.url);
    this.#dispatcher = dispatcher({ connections: options.concurrency, timeouts: options.timeouts ?? TIMEOUTS });
    this.#origin = url.origin;
    this.#base = url.pathname.replace(/\/$/, "");
    this.#throttle = new Throttle(options.starts ?? ownStarts(options), options.concurrency);
    this.#options = options;
  }

  get requests(): number {
    return this.#requests;
  }

  get limits(): LimitsView {
    return this.#throttle.limits;
  }

  /** The body of a JSON answer, byte for byte. Throws source-response above `limit` bytes. */
  async text(call: Call, limit: number): Promise<{ readonly text: string; readonly headers: AnswerHeaders }> {
    return this.read(call, limit, async (chunks, headers) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      try {
        return {
          text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)),
          headers,
        };
      } catch (error) {
        throw new HoldfastError("source-response", `${call.name}: the answer is not UTF-8`, { cause: error });
      }
    });
  }

  /** The same, read while it arrives; after a lost connection `reader` is called again with a new answer. */
  async read<T>(
    call: Call,
    limit: number,
    reader: (chunks: AsyncIterable<Uint8Array>, headers: AnswerHeaders) => Promise<T>,
  ): Promise<T> {
    return this.#retrying(async (answered) => {
      const { body, headers } = await this.#send(call, "application/json", answered);
      return reader(this.#chunks(call.name, body, limit), answerHeaders(headers));
    });
  }

  /** A body as it arrives. A connection lost on the way throws source-unavailable: request the whole body again. */
  async stream(call: Call): Promise<FetchedFile> {
    const { headers, body } = await this.#retrying(
      (answered) => this.#send(call, "*/*", answered),
      // Until the last byte: a request that the pool holds for this connection would start without a limit.
      ({ body }) => finished(body).catch(() => {}),
    );
    return {
      mediaType: mediaTypeOf(headers["content-type"]),
      bytes: this.#chunks(call.name, body, this.#options.maxFile ?? MAX_FILE),
    };
  }

  /** A file on another origin, to which nothing is sent that the API gets: no key and no fixed headers. */
  async elsewhere(name: string, _url: string): Promise<FetchedFile> {
    throw new HoldfastError("internal", `${name}: not built yet`);
  }

  async close(): Promise<void> {
    this.#throttle.close();
    await this.#dispatcher.destroy();
  }

  #retrying<T>(work: (answered: Answered) => Promise<T>, ended?: (result: T) => Promise<unknown>): Promise<T> {
    const { retry, signal, onRetry } = this.#options;
    const attempt = () => this.#throttle.run(work, ended);
    const withPresentKey = async (): Promise<T> => {
      const key = this.#key;
      try {
        return await attempt();
      } catch (error) {
        if (!hasCode(error, "source-key") || !(await this.#renewed(key))) throw error;
        // The retry counts as a normal request, also for the limits.
        return attempt();
      }
    };
    return retrying(withPresentKey, retry, signal, onRetry);
  }

  async #send(
    { name, path: below, body = "" }: Call,
    accept: string,
    answered: Answered,
  ): Promise<Dispatcher.ResponseData> {
    const { auth, headers: fixed, clock = systemClock } = this.#options;
    const path = this.#base + below;
    const method = body === "" ? "GET" : "POST";
    this.#requests += 1;
    const begun = performance.now();
    const told = (outcome: string) => this.#options.onRequest?.(name, outcome, (performance.now() - begun) / 1000);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#dispatcher.request({
        ...{ method, origin: this.#origin, path, body: body === "" ? null : body },
        headers: {
          ...(body === "" ? {} : { "content-type": "application/json" }),
          ...fixed,
          accept,
          "accept-encoding": "identity",
          "user-agent": "holdfast",
          ...authorization(auth, this.#key, { method, path, body, now: clock() }),
        },
      });
    } catch (error) {
      const failure = connectionError(name, this.#origin, error);
      told(failure.code);
      throw failure;
    }
    answered({ status: response.statusCode, headers: response.headers });
    if (response.statusCode === 200 && !isAltered(response)) {
      told("ok");
      return response;
    }
    const failure = response.statusCode === 200 ? altered(name) : statusError(name, response);
    told(failure.code);
    // The rest of an error's body may contain anything, so it is neither kept nor shown.
    await response.body.dump({ limit: 64 * 1024 }).catch(() => {});
    if (failure.retryAfter !== undefined && failure.retryAfter <= this.#options.retry.maxRetryAfter) {
      if (this.#throttle.silence(failure.retryAfter)) throw failure;
      throw new HoldfastError(failure.code, `${failure.message}, and has already delayed this run for an hour`, {
        hint: failure.hint,
        retryAfter: Number.POSITIVE_INFINITY,
      });
    }
    throw failure;
  }

  /** Whether there is now a key other than the refused one. */
  async #renewed(refused: Secret): Promise<boolean> {
    const { renewKey } = this.#options;
    if (this.#key === refused && renewKey) {
      this.#renewing ??= renewKey()
        .then((key) => {
          this.#key = usable(key);
        })
        .finally(() => {
          this.#renewing = undefined;
        });
      await this.#renewing;
    }
    return this.#key.reveal() !== refused.reveal();
  }

  #chunks(name: string, body: Dispatcher.ResponseData["body"], limit: number): AsyncIterable<Uint8Array> {
    const patience = (this.#options.timeouts ?? TIMEOUTS).body;
    return bounded(body, { name, limit, patience, lost: (error) => connectionError(name, this.#origin, error) });
  }
}

/** Starts within limits that all processes on this machine share through the same file. */
export function ownStarts({
  rate,
  share,
  signal,
  onWait,
}: Pick<HttpOptions, "rate" | "share" | "signal" | "onWait">): Starts {
  const store = share && new SharedLimits(share.path, share.onTrouble);
  return new OwnStarts(new Limits(rate, { store, priority: share?.priority }), signal, onWait);
}
