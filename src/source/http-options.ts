import type { Rate } from "../config/rate.ts";
import type { Secret } from "../config/secret.ts";
import type { Clock } from "../core/clock.ts";
import type { HoldfastError } from "../core/error.ts";
import type { RetryPolicy } from "../io/retry.ts";
import type { Authentication } from "./authentication.ts";
import type { SourceWords } from "./http-errors.ts";
import type { Priority } from "./rate/claim.ts";
import type { Headers } from "./rate/rate-headers.ts";
import type { OnWait, Starts } from "./rate/starts.ts";

/** What a provider's API wants of every request: its driver knows. */
export interface Api extends Pick<SourceWords, "keyIs" | "unreached" | "isTimeless"> {
  readonly auth: Authentication;
  /** Sent with every request to the API, and nowhere else. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Limits of some endpoints, which also count for the limit of all. */
  readonly endpoints?: readonly EndpointLimit[];
  /**
   * Whether such an answer with 404 or 410 is the provider's own. Anything else in the way answers so as well, and says
   * nothing about anyone or any part of a record.
   */
  readonly saysMissing: (answer: unknown) => boolean;
  /** Which limit a 429 is about, by its headers. Undefined, and by default: any may be. */
  readonly limitMeant?: (headers: Headers) => LimitMeant | undefined;
}

/** `none`: the refusal is not about how many requests there were. */
export type LimitMeant = "all" | "endpoint" | "none";

export interface EndpointLimit {
  /** Calls with one of these names share the limit. */
  readonly names: readonly string[];
  readonly rate: Rate;
  /** What they get, for people, where a backfill may have to wait for it. */
  readonly of?: string;
  /** Whether each file costs one of them. */
  readonly ofFiles?: boolean;
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
