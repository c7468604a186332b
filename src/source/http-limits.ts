import PQueue from "p-queue";
import type { Api, HttpOptions } from "./http-options.ts";
import { Limits, type LimitsView } from "./rate/limits.ts";
import { SharedLimits } from "./rate/shared-limits.ts";
import { type Answered, OwnStarts, type Starts } from "./rate/starts.ts";
import { Throttle } from "./rate/throttle.ts";

/** The limit of some endpoints. */
interface Endpoint {
  readonly throttle: Throttle;
  /** Requests that ask for a start, one at a time. */
  readonly line: PQueue;
}

/** The limits of one API: one for all requests, and those of some endpoints. */
export class HttpLimits {
  readonly #throttle: Throttle;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #limitMeant: Api["limitMeant"];

  constructor(options: HttpOptions & Api) {
    this.#throttle = new Throttle(options.starts ?? ownStarts(options), options.concurrency);
    this.#endpoints = endpointThrottles(options);
    this.#limitMeant = options.limitMeant;
  }

  get view(): LimitsView {
    return this.#throttle.limits;
  }

  /** One request, when the limits allow it. It counts as in flight until `ended` settles. */
  run<T>(name: string, work: (answered: Answered) => Promise<T>, ended?: (result: T) => Promise<unknown>): Promise<T> {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) return this.#throttle.run((answered) => work(this.#telling(answered)), ended);
    // A wait for the endpoint's limit does not take a place among the parallel requests.
    return inLine(endpoint.line, (begun) => {
      const begin = (all: Answered, there: Answered): Promise<T> => {
        begun();
        return work(this.#telling(all, there));
      };
      return endpoint.throttle.run(async (there) => this.#throttle.run((all) => begin(all, there), ended, true), ended);
    });
  }

  /** The provider asks for no requests for so long, in ms. False if it has already delayed this run for an hour. */
  silence(ms: number): boolean {
    return this.#throttle.silence(ms);
  }

  close(): void {
    this.#throttle.close();
    for (const { throttle } of this.#endpoints.values()) throttle.close();
  }

  /** Tells each limit of an answer. A refusal counts for both, unless it says which one was exceeded. */
  #telling(all: Answered, endpoint?: Answered): Answered {
    return (answer) => {
      const meant = answer.status === 429 ? this.#limitMeant?.(answer.headers) : undefined;
      if (meant === "none") return;
      if (meant !== "all") endpoint?.(answer);
      if (meant !== "endpoint" || endpoint === undefined) all(answer);
    };
  }
}

/**
 * Does `work` when everything before it has begun or failed. Otherwise starts that the endpoint's limit has granted would
 * gather while files take all places among the parallel requests, and then be sent all at once.
 */
function inLine<T>(line: PQueue, work: (begun: () => void) => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  void line.add(async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const done = work(begin);
    resolve(done);
    await Promise.race([begun, done.catch(() => {})]);
  });
  return promise;
}

/** One for each name; names of the same limit have the same. */
function endpointThrottles({ endpoints = [], share, signal, onWait, concurrency }: HttpOptions & Api) {
  return new Map(
    endpoints.flatMap(({ names, rate }) => {
      const store = share && new SharedLimits(share.path, share.onTrouble, names.join(", "));
      const starts = new OwnStarts(new Limits(rate, { store, priority: share?.priority }), signal, onWait);
      const endpoint = { throttle: new Throttle(starts, concurrency), line: new PQueue({ concurrency: 1 }) };
      return names.map((name) => [name, endpoint] as const);
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
