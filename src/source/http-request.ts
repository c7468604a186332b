import type { Dispatcher } from "undici";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { shortAnswer } from "./body.ts";
import { altered, connectionError, elsewhereError, foreign, isAltered, statusError } from "./http-errors.ts";
import type { Api, HttpOptions } from "./http-options.ts";
import type { Answered } from "./rate/starts.ts";
import { TheirTime } from "./their-time.ts";

/** Answers to a GET that name another address of the same content. */
const REDIRECTS = [301, 302, 303, 307, 308];

/** What says that something is not there. */
const GONE = [404, 410];

/** One request, ready to be sent. */
export interface HttpRequest {
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
  readonly saysMissing?: (answer: unknown) => boolean;
}

/** Sends requests, and turns every answer but 200 into an error. */
export class Sender {
  readonly theirTime: TheirTime;
  readonly #dispatcher: Dispatcher;
  readonly #options: HttpOptions & Api;
  readonly #silence: (ms: number) => boolean;
  readonly #now: Clock;
  #requests = 0;
  /** By the call's name. */
  readonly #sent = new Map<string, number>();

  /** @param silence the provider asks for no requests for so long, in ms; false if it has done so for too long */
  constructor(dispatcher: Dispatcher, options: HttpOptions & Api, silence: (ms: number) => boolean) {
    this.#dispatcher = dispatcher;
    this.#options = options;
    this.#silence = silence;
    this.#now = options.clock ?? systemClock;
    this.theirTime = new TheirTime(this.#now);
  }

  get requests(): number {
    return this.#requests;
  }

  /** Requests with this name. */
  sent(name: string): number {
    return this.#sent.get(name) ?? 0;
  }

  /** Without `answered`, nothing is learned about the API's limits. */
  async send(
    { name, isApi, redirect, method, origin, path, body, accept, headers, saysMissing }: HttpRequest,
    answered?: Answered,
  ): Promise<Dispatcher.ResponseData> {
    this.#requests += 1;
    this.#sent.set(name, this.sent(name) + 1);
    const begun = performance.now();
    const told = (outcome: string) => this.#options.onRequest?.(name, outcome, (performance.now() - begun) / 1000);
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#dispatcher.request({
        method,
        origin,
        path,
        body: body === "" ? null : body,
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
      if (this.#silence(failure.retryAfter)) throw failure;
      throw new HoldfastError(failure.code, `${failure.message}, and has already delayed this run for an hour`, {
        hint: failure.hint,
        retryAfter: Number.POSITIVE_INFINITY,
      });
    }
    throw failure;
  }
}
