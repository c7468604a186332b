import { finished } from "node:stream/promises";
import type { Dispatcher } from "undici";
import type { Secret } from "../config/secret.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { dispatcher } from "../net/proxy.ts";
import { altered, connectionError, isAltered, isTooSlow, statusError, tooLarge, tooSlow } from "./http-errors.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Priority } from "./rate/claim.ts";
import { Limits, type LimitsView } from "./rate/limits.ts";
import { SharedLimits } from "./rate/shared-limits.ts";
import { type Answered, type OnWait, OwnStarts, type Starts } from "./rate/starts.ts";
import { Throttle } from "./rate/throttle.ts";

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
 * GET requests to one API, with limits, timeouts and retries. `name` replaces the endpoint in errors, because a path
 * contains provider ids; no error or log shows a path, an answer or the key.
 */
export class Http {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #base: string;
  readonly #throttle: Throttle;
  readonly #options: HttpOptions;
  #key: Secret;
  #requests = 0;
  /** The renewal in progress: other requests whose key was refused wait for it. */
  #renewing: Promise<void> | undefined;

  constructor(options: HttpOptions) {
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
  async text(name: string, path: string, limit: number): Promise<string> {
    return this.read(name, path, limit, async (chunks) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
      } catch (error) {
        throw new HoldfastError("source-response", `${name}: the answer is not UTF-8`, { cause: error });
      }
    });
  }

  /** The same, read while it arrives; after a lost connection `reader` is called again with a new answer. */
  async read<T>(
    name: string,
    path: string,
    limit: number,
    reader: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    return this.#retrying(async (answered) => {
      const { body } = await this.#send(name, path, "application/json", answered);
      return reader(this.#chunks(name, body, limit));
    });
  }

  /** A body as it arrives. A connection lost on the way throws source-unavailable: request the whole body again. */
  async stream(name: string, path: string): Promise<{ mediaType: string; bytes: AsyncIterable<Uint8Array> }> {
    const { headers, body } = await this.#retrying(
      (answered) => this.#send(name, path, "*/*", answered),
      // Until the last byte: a request that the pool holds for this connection would start without a limit.
      ({ body }) => finished(body).catch(() => {}),
    );
    return {
      mediaType: mediaTypeOf(headers["content-type"]),
      bytes: this.#chunks(name, body, this.#options.maxFile ?? MAX_FILE),
    };
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

  async #send(name: string, path: string, accept: string, answered: Answered): Promise<Dispatcher.ResponseData> {
    this.#requests += 1;
    const begun = performance.now();
    const told = (outcome: string) => this.#options.onRequest?.(name, outcome, (performance.now() - begun) / 1000);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#dispatcher.request({
        method: "GET",
        origin: this.#origin,
        path: this.#base + path,
        headers: {
          accept,
          "accept-encoding": "identity",
          "x-api-key": this.#key.reveal(),
          "user-agent": "holdfast",
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

  /** At most `limit` bytes. Not a generator: one abandoned before its first chunk would keep the connection forever. */
  #chunks(name: string, body: Body, limit: number): AsyncIterable<Uint8Array> {
    const patience = (this.#options.timeouts ?? TIMEOUTS).body;
    return {
      [Symbol.asyncIterator]: () => {
        const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
        const leave = () => body.once("error", () => {}).destroy();
        let size = 0;
        // The time spent waiting for the source; the reader's own time does not count.
        let waited = 0;
        return {
          next: async () => {
            const begun = performance.now();
            const next = await iterator.next().catch((error: unknown) => {
              throw connectionError(name, this.#origin, error);
            });
            if (next.done) return next;
            size += next.value.length;
            waited += performance.now() - begun;
            const failure = size > limit ? tooLarge(name, limit) : isTooSlow(size, waited, patience) && tooSlow(name);
            if (!failure) return next;
            leave();
            throw failure;
          },
          return: async () => {
            leave();
            return { done: true, value: undefined };
          },
        };
      },
    };
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

type Body = Dispatcher.ResponseData["body"];

function usable(key: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(key.reveal())) return key;
  throw new HoldfastError("config", "the API key has white space or characters that an HTTP header cannot contain", {
    hint: "Copy the secret API key again, alone on one line.",
  });
}
