import { finished } from "node:stream/promises";
import type { Dispatcher } from "undici";
import type { Secret } from "../config/secret.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { retrying } from "../io/retry.ts";
import { dispatcher } from "../net/dispatcher.ts";
import { type AnswerHeaders, answerHeaders } from "./answer-headers.ts";
import { authorization, usable } from "./authentication.ts";
import { bounded } from "./body.ts";
import { connectionError, elsewhereError } from "./http-errors.ts";
import { HttpLimits } from "./http-limits.ts";
import type { Api, HttpOptions } from "./http-options.ts";
import { type HttpRequest, Sender } from "./http-request.ts";
import { mediaTypeOf } from "./media-type.ts";
import { otherOrigin } from "./other-origin.ts";
import type { LimitsView } from "./rate/limits.ts";
import type { Apart, FetchedFile } from "./source.ts";
import type { TheirTime } from "./their-time.ts";

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
  /** As that of the API, for an endpoint whose refusals have another form. */
  readonly saysMissing?: (answer: unknown) => boolean;
}

/** A file with the headers of its answer, for the driver alone. */
export interface StreamedFile extends FetchedFile {
  readonly headers: AnswerHeaders;
}

const TIMEOUTS = { connect: 10_000, headers: 30_000, body: 30_000 };
const MAX_FILE = 1024 ** 3;

/** The error for a lost connection. */
type Lost = (name: string, error: unknown) => HoldfastError;

/**
 * Reads from one API, with limits, timeouts and retries. No error or log shows a path, an answer or the key: errors and
 * metrics have the call's name.
 */
export class Http {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #base: string;
  readonly #limits: HttpLimits;
  readonly #sender: Sender;
  readonly #options: HttpOptions & Api;
  #key: Secret;
  readonly #now: Clock;
  readonly #lost: Lost = (name, error) => connectionError(name, this.#origin, error, this.#options);
  /** The renewal in progress: other requests whose key was refused wait for it. */
  #renewing: Promise<void> | undefined;

  constructor(options: HttpOptions & Api) {
    this.#key = usable(options.apiKey);
    const url = new URL(options.url);
    this.#dispatcher = dispatcher({ connections: options.concurrency, timeouts: options.timeouts ?? TIMEOUTS });
    this.#origin = url.origin;
    this.#base = url.pathname.replace(/\/$/, "");
    this.#limits = new HttpLimits(options);
    this.#sender = new Sender(this.#dispatcher, options, (ms) => this.#limits.silence(ms));
    this.#options = options;
    this.#now = options.clock ?? systemClock;
  }

  get requests(): number {
    return this.#sender.requests;
  }

  get theirTime(): TheirTime {
    return this.#sender.theirTime;
  }

  get limits(): LimitsView {
    return this.#limits.view;
  }

  /** The limits of some endpoints that have a name, with what was sent so far. */
  get apart(): readonly Apart[] {
    return (this.#options.endpoints ?? []).flatMap(({ names, rate, of, ofFiles = false }) => {
      const requests = names.reduce((sum, name) => sum + this.#sender.sent(name), 0);
      return of === undefined ? [] : [{ of, rate, requests, ofFiles }];
    });
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
      this.#limits.run(call.name, async (answered) => {
        const { body, headers } = await this.#sender.send(this.#apiRequest(call, "application/json"), answered);
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
      const response = await this.#limits.run(
        call.name,
        (answered) => this.#sender.send({ ...this.#apiRequest(call, "*/*"), redirect }, answered),
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
    return this.#limits.run(
      name,
      () => this.#sender.send(request),
      ({ body }) => ended(body),
    );
  }

  async close(): Promise<void> {
    this.#limits.close();
    await this.#dispatcher.destroy();
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

  /** A request with the present key; made again for each attempt. */
  #apiRequest(
    { name, path: below, origin, body: content = "", form = false, saysMissing }: Call,
    accept: string,
  ): HttpRequest {
    const { auth, headers, saysMissing: usual } = this.#options;
    const body = typeof content === "string" ? content : content(this.theirTime.now());
    const path = origin === undefined ? this.#base + below : below;
    const type = form ? "application/x-www-form-urlencoded" : "application/json";
    const method = body === "" ? "GET" : "POST";
    return {
      name,
      isApi: true,
      method,
      origin: origin ?? this.#origin,
      path,
      body,
      accept,
      saysMissing: saysMissing ?? usual,
      headers: {
        ...(body === "" ? {} : { "content-type": type }),
        ...headers,
        ...authorization(auth, this.#key, { method, path, body, now: this.#now() }),
      },
    };
  }

  #fileRequest(name: string, address: string): HttpRequest {
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
