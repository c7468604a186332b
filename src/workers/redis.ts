import { setTimeout as delay } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import { HoldfastError } from "../core/error.ts";
import type { RedisAddress } from "./address.ts";

/** How long to wait for Redis at the start, in ms. Later it may disappear and come back at any time. */
const PATIENCE = 10_000;
/** Timeout of a command, in ms; the caller retries. Longer than any blocking read of a list. */
const ANSWER = 15_000;
/** Longest pause between two connection attempts, in ms. */
const MAX_PAUSE = 2_000;
/** Errors for a refused password: it may have been rotated. */
const REFUSED = /^(WRONGPASS|NOAUTH|ERR invalid password)/;

/**
 * A connection that reconnects by itself and keeps commands until then. Throws `queue-unavailable` if Redis is
 * unreachable at the start.
 * @param onTrouble called each time the connection is lost
 */
export async function connectRedis(
  { secret, renewed }: RedisAddress,
  onTrouble: (error: HoldfastError) => void,
): Promise<Redis> {
  let present = secret;
  const redis = new Redis(secret.reveal(), {
    maxRetriesPerRequest: null,
    connectTimeout: PATIENCE,
    commandTimeout: ANSWER,
    // The library calls this with a connection's options as `this`. Duplicates of this connection have their own.
    retryStrategy(this: RedisOptions, times: number) {
      const { username, password } = new URL(present.reveal());
      if (password !== "") this.password = decodeURIComponent(password);
      if (username !== "") this.username = decodeURIComponent(username);
      return Math.min(MAX_PAUSE, 50 * 2 ** Math.min(times, 10));
    },
  });
  let lastError: unknown;
  let lost = false;
  redis.on("error", (error: unknown) => {
    lastError = error;
    if (error instanceof Error && REFUSED.test(error.message))
      void renewed().then(
        (address) => {
          present = address;
        },
        // The next refusal will try again.
        () => {},
      );
  });
  redis.on("ready", () => {
    lost = false;
  });
  // Not `close`: that event also fires when we close it.
  redis.on("reconnecting", () => {
    if (!lost && ready) onTrouble(unavailable(redis, lastError));
    lost = true;
  });
  let ready = false;
  const patience = new AbortController();
  try {
    const waited = delay(PATIENCE, undefined, { signal: patience.signal }).then(() => {
      throw unavailable(redis, lastError);
    });
    await Promise.race([redis.ping(), waited]);
    ready = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error instanceof HoldfastError ? error : unavailable(redis, error);
  } finally {
    patience.abort();
  }
}

/** Turns the library's errors into HoldfastErrors. Returns ours unchanged. */
export function unavailable({ options }: Redis, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const { code, message = "" } = (cause ?? {}) as NodeJS.ErrnoException;
  const what = code ?? /^[A-Z]+(?= )/.exec(message)?.[0] ?? "no answer";
  return new HoldfastError("queue-unavailable", `cannot use Redis at ${options.host}:${options.port} (${what})`, {
    cause,
    hint: "Check the address, the password and the server. Nothing is lost: unfinished work is done again.",
  });
}
