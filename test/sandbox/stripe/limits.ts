/** Stripe's limits: of all requests, of each endpoint, and of requests at once. Each has a word of its own. */
import { FaultInjector } from "../faults.ts";
import type { Endpoint } from "./routes.ts";

export interface LimitOptions {
  /** Requests per second. Default: no limit. Stripe's are 100 live and 25 in a sandbox. */
  readonly rate?: number | undefined;
  /** Requests per second to each endpoint. Stripe's is 25, of files 20. */
  readonly endpointRate?: number | undefined;
  /** Requests in flight at once. */
  readonly concurrency?: number | undefined;
}

export class Limits {
  readonly #seed: number;
  readonly #inFlight: () => number;
  #options: LimitOptions = {};
  #all: FaultInjector;
  readonly #each = new Map<Endpoint, FaultInjector>();

  constructor(seed: number, options: LimitOptions, inFlight: () => number) {
    this.#seed = seed;
    this.#inFlight = inFlight;
    this.#all = new FaultInjector(seed, {});
    this.set(options);
  }

  set(options: LimitOptions): void {
    this.#options = { ...this.#options, ...options };
    this.#all = new FaultInjector(this.#seed, { rate: this.#options.rate });
    this.#each.clear();
  }

  /** Counts a request. Returns Stripe's word for the limit that it exceeds. */
  take(endpoint: Endpoint): string | undefined {
    const { endpointRate, concurrency } = this.#options;
    if (concurrency !== undefined && this.#inFlight() > concurrency) return "global-concurrency";
    if (this.#all.limit() !== undefined) return "global-rate";
    const each = this.#each.get(endpoint) ?? new FaultInjector(this.#seed, { rate: endpointRate });
    this.#each.set(endpoint, each);
    return each.limit() === undefined ? undefined : "endpoint-rate";
  }
}
