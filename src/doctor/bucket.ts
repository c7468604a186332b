import type { S3Client } from "@aws-sdk/client-s3";
import type { S3VaultConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { type HoldfastError, isTransient } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { s3Client } from "../vault/s3-client.ts";
import { isDamage, s3Error } from "../vault/s3-errors.ts";
import { skewOf } from "./clock.ts";

/** What a store said to one request: done, or refused, which is an answer too. */
export type BucketAnswer<T> = { readonly output: T } | Refused;

export interface Refused {
  readonly output?: undefined;
  readonly status: number | undefined;
  /** The store's own word, such as `AccessDenied`. */
  readonly name: string;
  readonly error: HoldfastError;
}

/** A bucket that is asked about itself, beside the vault's own way of using it. */
export class Bucket {
  readonly name: string;
  /** Ends in a slash, or is empty. */
  readonly prefix: string;
  readonly #client: S3Client;
  readonly #now: Clock;
  readonly #retry: RetryPolicy;
  #skew: number | undefined;

  constructor(config: S3VaultConfig, now: Clock, { retry, idleTimeout }: { retry: RetryPolicy; idleTimeout?: number }) {
    this.name = config.bucket;
    this.prefix = config.prefix && `${config.prefix}/`;
    this.#now = now;
    this.#retry = retry;
    this.#client = s3Client({ ...config, maxSockets: 2, idleTimeout });
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const output = await next(args);
        this.#skew = skewOf((output.response as { headers: Record<string, string> }).headers.date, this.#now());
        return output;
      },
      { step: "deserialize", priority: "low", name: "noteDate" },
    );
  }

  /** How far this machine's clock is ahead of the store's, in ms; undefined before it has said. */
  get skew(): number | undefined {
    return this.#skew;
  }

  /** The store's own time, in ms since 1970: what it compares a lock with. */
  get time(): number {
    return this.#now().epochMilliseconds - (this.#skew ?? 0);
  }

  /** Throws vault-unavailable where the store does not answer; what it refuses is returned. */
  async ask<T>(what: string, work: (client: S3Client, at: { Bucket: string }) => Promise<T>): Promise<BucketAnswer<T>> {
    try {
      const attempt = () => work(this.#client, { Bucket: this.name });
      const output = await retrying(async () => {
        try {
          return await attempt();
        } catch (error) {
          // That bytes do not fit their checksum is what a probe asks for here: it is not tried again.
          if (isDamage(error)) throw error;
          throw s3Error(error, what);
        }
      }, this.#retry);
      return { output };
    } catch (thrown) {
      const error = s3Error(thrown, what);
      if (isTransient(error) && !isDamage(error.cause)) throw error;
      const cause = error.cause as { name?: string; $metadata?: { httpStatusCode?: number } } | undefined;
      return { status: cause?.$metadata?.httpStatusCode, name: cause?.name ?? "unknown", error };
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
