import type { S3Client } from "@aws-sdk/client-s3";
import type { S3VaultConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { skewOf } from "../core/clock-check.ts";
import { type HoldfastError, isTransient } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { s3Client } from "../vault/s3-client.ts";
import { isChecksumMismatch, s3Error } from "../vault/s3-errors.ts";

/** A store's answer to one request: done or refused. */
export type BucketAnswer<T> = { readonly output: T } | Refused;

export interface Refused {
  readonly output?: undefined;
  readonly status: number | undefined;
  /** The store's error code, such as `AccessDenied`. */
  readonly name: string;
  readonly error: HoldfastError;
}

/** Asks a bucket about its settings, with its own client next to the vault's. */
export class BucketSettings {
  readonly name: string;
  /** Empty, or ends in a slash. */
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

  /** How far this machine's clock is ahead of the store's, in ms; undefined before its first answer. */
  get skew(): number | undefined {
    return this.#skew;
  }

  /** The store's time, in ms since 1970: the time it compares locks with. */
  get time(): number {
    return this.#now().epochMilliseconds - (this.#skew ?? 0);
  }

  /** Throws vault-unavailable if the store does not answer; returns a refusal. */
  async ask<T>(what: string, work: (client: S3Client, at: { Bucket: string }) => Promise<T>): Promise<BucketAnswer<T>> {
    try {
      const attempt = () => work(this.#client, { Bucket: this.name });
      const output = await retrying(async () => {
        try {
          return await attempt();
        } catch (error) {
          // A probe sends a wrong checksum on purpose, so do not retry.
          if (isChecksumMismatch(error)) throw error;
          throw s3Error(error, what);
        }
      }, this.#retry);
      return { output };
    } catch (thrown) {
      const error = s3Error(thrown, what);
      if (isTransient(error) && !isChecksumMismatch(error.cause)) throw error;
      const cause = error.cause as { name?: string; $metadata?: { httpStatusCode?: number } } | undefined;
      return { status: cause?.$metadata?.httpStatusCode, name: cause?.name ?? "unknown", error };
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
