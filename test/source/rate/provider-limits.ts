/** What providers allow, as their documentation says, and a transport without a network that enforces it. */
import { Agent } from "undici";
import type { Rate } from "../../../src/config/rate.ts";
import { Random } from "../../sandbox/random.ts";
import { Bucket } from "./simulation.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A limit of all requests, or of those whose path matches. */
export interface ProviderLimit {
  readonly of?: RegExp;
  readonly rate: Rate;
  /** `window`: begins with its first request, and then a new one. `bucket`: refills all the time, and starts full. */
  readonly kind: "window" | "bucket";
  /** Whether each answer says what is left: Persona. */
  readonly told?: boolean;
  /** What a refusal says of its reason: Stripe. */
  readonly reason?: string;
}

/** A limit with what was used of it. */
class Enforced {
  readonly limit: ProviderLimit;
  readonly #bucket: Bucket;
  #began = Number.NEGATIVE_INFINITY;
  #used = 0;

  constructor(limit: ProviderLimit) {
    this.limit = limit;
    this.#bucket = new Bucket((limit.rate.count * 1000) / limit.rate.per, limit.rate.count);
  }

  take(now: number): boolean {
    const { kind, rate } = this.limit;
    if (kind === "bucket") return this.#bucket.take(now);
    if (now - this.#began >= rate.per) [this.#began, this.#used] = [now, 0];
    if (this.#used >= rate.count) return false;
    this.#used += 1;
    return true;
  }

  headers(now: number): Record<string, string> {
    const { rate, told } = this.limit;
    if (!told) return {};
    return {
      "ratelimit-limit": String(rate.count),
      "ratelimit-remaining": String(rate.count - this.#used),
      "ratelimit-reset": String(Math.ceil((this.#began + rate.per - now) / 1000)),
    };
  }
}

export interface Arrival {
  readonly at: number;
  readonly path: string;
  readonly refused: boolean;
}

/**
 * Answers every request of undici in this process, until disposed. A request needs 20 to 30 ms to the provider, where it
 * counts, and its answer 60 to 200 ms more.
 */
export class Transport implements Disposable {
  readonly arrivals: Arrival[] = [];
  readonly #limits: readonly Enforced[];
  readonly #time: VirtualTime;
  readonly #random = new Random(7);
  readonly #real = Agent.prototype.dispatch;

  constructor(time: VirtualTime, limits: readonly ProviderLimit[]) {
    this.#time = time;
    this.#limits = limits.map((limit) => new Enforced(limit));
    Agent.prototype.dispatch = ({ path }, handler) => this.#answer(path, handler as unknown as Handler);
  }

  #answer(path: string, handler: Handler): boolean {
    const controller = { rawHeaders: [], abort() {}, resume() {}, pause() {} };
    handler.onRequestStart(controller, {});
    this.#time.later(this.#random.integer(20, 30), () => {
      const at = this.#time.now;
      const meant = this.#limits.filter(({ limit }) => limit.of === undefined || limit.of.test(path));
      // A refused request takes nothing of the other limits.
      const refusing = meant.find((limit) => !limit.take(at));
      this.arrivals.push({ at, path, refused: refusing !== undefined });
      const reason = refusing?.limit.reason;
      const headers = {
        ...Object.assign({}, ...meant.map((limit) => limit.headers(at))),
        ...(reason === undefined ? {} : { "stripe-rate-limited-reason": reason }),
        "content-type": "application/json",
      };
      this.#time.later(this.#random.integer(60, 200), () => {
        handler.onResponseStart(controller, refusing ? 429 : 200, headers, "");
        handler.onResponseData(controller, Buffer.from("{}"));
        handler.onResponseEnd(controller, {});
      });
    });
    return true;
  }

  [Symbol.dispose](): void {
    Agent.prototype.dispatch = this.#real;
  }
}

/** What undici calls while an answer arrives. */
interface Handler {
  onRequestStart(controller: object, context: object): void;
  onResponseStart(controller: object, status: number, headers: Record<string, string>, text: string): void;
  onResponseData(controller: object, chunk: Buffer): void;
  onResponseEnd(controller: object, trailers: object): void;
}
