import { finished } from "node:stream/promises";
import type { Dispatcher } from "undici";
import type { Rate } from "../config/rate.ts";
import type { Secret } from "../config/secret.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { dispatcher } from "../net/proxy.ts";
import { type AnswerHeaders, answerHeaders } from "./answer-headers.ts";
import { type Authentication, authorization, usable } from "./authentication.ts";
import { bounded, shortAnswer } from "./body.ts";
import {
  altered,
  connectionError,
  elsewhereError,
  foreign,
  isAltered,
  type SourceWords,
  statusError,
} from "./http-errors.ts";
import { mediaTypeOf } from "./media-type.ts";
import { otherOrigin } from "./other-origin.ts";
import type { Priority } from "./rate/claim.ts";
import { Limits, type LimitsView } from "./rate/limits.ts";
import type { Headers } from "./rate/rate-headers.ts";
import { SharedLimits } from "./rate/shared-limits.ts";
import { type Answered, type OnWait, OwnStarts, type Starts } from "./rate/starts.ts";
import { Throttle } from "./rate/throttle.ts";
import type { FetchedFile } from "./source.ts";
import { TheirTime } from "./their-time.ts";

export type { AnswerHeaders } from "./answer-headers.ts";

/** One request. It may be sent again: it only reads, or creates what expires by itself. */
export interface Call {
  /** Replaces the path in errors and metrics, because a path contains provider ids, and names the answer in the record. */
  readonly name: string;
  /** Below the base URL, with its query. */
  readonly path: string;
  /** Another origin of the API, without its base URL's path. It is sent the key: never one that an answer chose. */
  readonly origin?: string;
  /** The body of a POST; made again for each attempt where it contains a time, by the provider's clock. */
  readonly body?: string | ((theirs: Temporal.Instant) => string);
  /** The body is a form. Default: JSON. */
  readonly form?: boolean;
  /**
   * Whether such an answer with 404 or 410 is the provider's own. Anything else in the way answers so as well, and says
   * nothing about anyone. Default: not looked at.
   */
  readonly saysMissing?: (answer: unknown) => boolean;
}

/** What a provider's API wants of every request: its driver knows. */
export interface Api extends Pick<SourceWords, "keyIs" | "unreached" | "isTimeless"> {
  readonly auth: Authentication;
  /** Sent with every request to the API, and nowhere else. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Limits of some endpoints, which also count for the limit of all. */
  readonly endpoints?: readonly EndpointLimit[];
  /** Which limit a 429 is about, by its headers. Undefined, and by default: any may be. */
  readonly limitMeant?: (headers: Headers) => LimitMeant | undefined;
}

/** `none`: the refusal is not about how many requests there were. */
export type LimitMeant = "all" | "endpoint" | "none";

export interface EndpointLimit {
  /** Calls with one of these names share the limit. */
  readonly names: readonly string[];
  readonly rate: Rate;
}

/** How this client uses an API: its config and the run know. */
export interface HttpOptions extends Pick<SourceWords, "source"> {
  readonly url: string;
  readonly apiKey: Secret;
  readonly rate: Rate;
  /** Most requests in a calendar month (UTC), together with all who share the limits. */
  readonly budget?: number;
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
  /** For signatures, for the budget's month, and to tell a wrong clock from a wrong key. Default: the machine's. */
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

/** A file with the headers of its answer, for the driver alone. */
export interface StreamedFile extends FetchedFile {
  readonly headers: AnswerHeaders;
}

const TIMEOUTS = { connect: 10_000, headers: 30_000, body: 30_000 };
const MAX_FILE = 1024 ** 3;

/** Answers to a GET that name another address of the same content. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** What says that something is not there. */
const GONE = [404, 410];

/** The error for a lost connection. */
type Lost = (name: string, error: unknown) => HoldfastError;

interface Request {
  readonly name: string;
  /** False for a file on another origin. */
  readonly isApi: boolean;
  /** Return a redirect instead of throwing. */
  readonly redirect?: boolean;
  readonly method: "GET" | "POST";
  readonly origin: string;
  /** With the base URL's path and the query. */
  readonly path: string;
  /** Empty: nothing is sent. */
  readonly body: string;
  readonly accept: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly saysMissing?: Call["saysMissing"];
}

/**
 * Reads from one API, with limits, timeouts and retries. No error or log shows a path, an answer or the key: errors and
 * metrics have the call's name.
 */
export class Http {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #base: string;
  readonly #throttle: Throttle;
  readonly #endpoints: ReadonlyMap<string, Throttle>;
  readonly #options: HttpOptions & Api;
  #key: Secret;
  #requests = 0;
  readonly #now: Clock;
  readonly theirTime: TheirTime;
  readonly #lost: Lost = (name, error) => connectionError(name, this.#origin, error, this.#options);
  /** The renewal in progress: other requests whose key was refused wait for it. */
  #renewing: Promise<void> | undefined;

  constructor(options: HttpOptions & Api) {
    this.#key = usable(options.apiKey);
    const url = new URL(options.url);
    this.#dispatcher = dispatcher({ connections: options.concurrency, timeouts: options.timeouts ?? TIMEOUTS });
    this.#origin = url.origin;
    this.#base = url.pathname.replace(/\/$/, "");
    this.#throttle = new Throttle(options.starts ?? ownStarts(options), options.concurrency);
    this.#endpoints = endpointThrottles(options);
    this.#options = options;
    this.#now = options.clock ?? systemClock;
    this.theirTime = new TheirTime(this.#now);
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
    return this.#retrying(() =>
      this.#started(call.name, async (answered) => {
        const { body, headers } = await this.#send(this.#apiRequest(call, "application/json"), answered);
        return reader(this.#chunks(call.name, body, limit), answerHeaders(headers));
      }),
    );
  }

  /**
   * A body as it arrives. A connection lost on the way throws source-unavailable: request the whole body again.
   * @param redirect follow one redirect, to where `elsewhere` may lead, without key and fixed headers
   */
  async stream(call: Call, { redirect = false } = {}): Promise<StreamedFile> {
    const ask = async () => {
      const response = await this.#started(
        call.name,
        (answered) => this.#send({ ...this.#apiRequest(call, "*/*"), redirect }, answered),
        ({ body }) => ended(body),
      );
      if (response.statusCode === 200) return response;
      // The status says that there is one.
      return this.#fetch(`${call.name} (redirected)`, String(response.headers.location ?? ""));
    };
    return this.#file(call.name, ask, redirect ? elsewhereError : this.#lost);
  }

  /**
   * A file on another origin: nothing is sent there that the API gets, neither key nor fixed headers, and no redirect is
   * followed. It counts for the limits like a request to the API: providers do not say whether it does, and a run that
   * is slower than necessary is better than one that takes requests from the client's own product. But the answer says
   * nothing about the API's limits.
   */
  async elsewhere(name: string, url: string): Promise<FetchedFile> {
    return this.#file(name, () => this.#fetch(name, url), elsewhereError);
  }

  #fetch(name: string, url: string): Promise<Dispatcher.ResponseData> {
    const request = this.#fileRequest(name, url);
    return this.#started(
      name,
      () => this.#send(request),
      ({ body }) => ended(body),
    );
  }

  async close(): Promise<void> {
    this.#throttle.close();
    for (const throttle of this.#endpoints.values()) throttle.close();
    await this.#dispatcher.destroy();
  }

  /** One request, when the limits allow it. It counts as in flight until `ended` settles. */
  #started<T>(
    name: string,
    work: (answered: Answered) => Promise<T>,
    ended?: (result: T) => Promise<unknown>,
  ): Promise<T> {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) return this.#throttle.run((answered) => work(this.#telling(answered)), ended);
    // A wait for the endpoint's limit does not take a place among the parallel requests.
    return endpoint.run(
      async (there) => this.#throttle.run((answered) => work(this.#telling(answered, there)), ended),
      ended,
    );
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { retry, signal, onRetry } = this.#options;
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

  /** Tells each limit of an answer. A refusal counts for both, unless it says which one was exceeded. */
  #telling(all: Answered, endpoint?: Answered): Answered {
    return (answer) => {
      const meant = answer.status === 429 ? this.#options.limitMeant?.(answer.headers) : undefined;
      if (meant === "none") return;
      if (meant !== "all") endpoint?.(answer);
      if (meant !== "endpoint" || endpoint === undefined) all(answer);
    };
  }

  /** A request with the present key; made again for each attempt. */
  #apiRequest(
    { name, path: below, origin, body: content = "", form = false, saysMissing }: Call,
    accept: string,
  ): Request {
    const { auth, headers } = this.#options;
    const body = typeof content === "string" ? content : content(this.theirTime.now());
    const path = origin === undefined ? this.#base + below : below;
    const type = form ? "application/x-www-form-urlencoded" : "application/json";
    const method = body === "" ? "GET" : "POST";
    return {
      ...{ name, isApi: true, method, origin: origin ?? this.#origin, path, body, accept },
      ...(saysMissing && { saysMissing }),
      headers: {
        ...(body === "" ? {} : { "content-type": type }),
        ...headers,
        ...authorization(auth, this.#key, { method, path, body, now: this.#now() }),
      },
    };
  }

  #fileRequest(name: string, address: string): Request {
    const { origin, pathname, search } = otherOrigin(name, address, this.#origin);
    return { name, isApi: false, method: "GET", origin, path: pathname + search, body: "", accept: "*/*", headers: {} };
  }

  async #file(name: string, ask: () => Promise<Dispatcher.ResponseData>, lost: Lost): Promise<StreamedFile> {
    const max = this.#options.maxFile ?? MAX_FILE;
    const { headers, body } = await this.#retrying(ask);
    return {
      mediaType: mediaTypeOf(headers["content-type"]),
      bytes: this.#chunks(name, body, max, lost),
      headers: answerHeaders(headers),
    };
  }

  /** Without `answered`, nothing is learned about the API's limits. */
  async #send(
    { name, isApi, redirect, method, origin, path, body, accept, headers, saysMissing }: Request,
    answered?: Answered,
  ): Promise<Dispatcher.ResponseData> {
    this.#requests += 1;
    const begun = performance.now();
    const told = (outcome: string) => this.#options.onRequest?.(name, outcome, (performance.now() - begun) / 1000);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#dispatcher.request({
        ...{ method, origin, path, body: body === "" ? null : body },
        headers: { ...headers, accept, "accept-encoding": "identity", "user-agent": "holdfast" },
      });
    } catch (error) {
      const failure = isApi ? connectionError(name, origin, error, this.#options) : elsewhereError(name, error);
      told(failure.code);
      throw failure;
    }
    const { statusCode } = response;
    if (isApi) this.theirTime.learn(response.headers.date);
    answered?.({ status: statusCode, headers: response.headers });
    if (statusCode === 200 && !isAltered(response)) {
      told("ok");
      return response;
    }
    const isRedirect = redirect === true && REDIRECTS.includes(statusCode);
    const isForeign =
      saysMissing !== undefined && GONE.includes(statusCode) && !saysMissing(await shortAnswer(response.body));
    const failure =
      statusCode === 200
        ? altered(name)
        : isForeign
          ? foreign(name, statusCode)
          : statusError(name, response, this.#now(), this.#options, isApi ? "the provider" : "the file's host");
    told(isRedirect ? "ok" : failure.code);
    // The rest of an error's body may contain anything, so it is neither kept nor shown.
    await response.body.dump({ limit: 64 * 1024 }).catch(() => {});
    if (isRedirect) return response;
    if (isApi && failure.retryAfter !== undefined && failure.retryAfter <= this.#options.retry.maxRetryAfter) {
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

  #chunks(
    name: string,
    body: Dispatcher.ResponseData["body"],
    limit: number,
    lost: Lost = this.#lost,
  ): AsyncIterable<Uint8Array> {
    const patience = (this.#options.timeouts ?? TIMEOUTS).body;
    return bounded(body, { name, limit, patience, lost: (error) => lost(name, error) });
  }
}

/** The last byte of a body: until then, a request that the pool holds for this connection would start without a limit. */
async function ended(body: Dispatcher.ResponseData["body"]): Promise<void> {
  await finished(body).catch(() => {});
}

/** One for each name; names of the same limit have the same. */
function endpointThrottles({ endpoints = [], share, signal, onWait, concurrency }: HttpOptions & Api) {
  return new Map(
    endpoints.flatMap(({ names, rate }) => {
      const store = share && new SharedLimits(share.path, share.onTrouble, names.join(", "));
      const starts = new OwnStarts(new Limits(rate, { store, priority: share?.priority }), signal, onWait);
      const throttle = new Throttle(starts, concurrency);
      return names.map((name) => [name, throttle] as const);
    }),
  );
}

/**
 * Starts within limits that all processes on this machine share through the same file.
 * @param clock says which month it is, for the budget
 */
export function ownStarts({
  rate,
  budget,
  share,
  signal,
  onWait,
  clock,
}: Pick<HttpOptions, "rate" | "budget" | "share" | "signal" | "onWait" | "clock">): Starts {
  const store = share && new SharedLimits(share.path, share.onTrouble);
  return new OwnStarts(new Limits(rate, { store, priority: share?.priority, budget, clock }), signal, onWait);
}
