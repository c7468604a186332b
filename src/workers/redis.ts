import { setTimeout as delay } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";
import { HoldfastError } from "../core/error.ts";
import type { RedisAddress } from "./address.ts";

/** How long to wait for Redis at the beginning, in ms. Later it may go and come back whenever it likes. */
const PATIENCE = 10_000;
/** A command that is not answered in this time fails, in ms; who asked tries again. Longer than any list is waited at. */
const ANSWER = 15_000;
/** Longest pause between two attempts to connect, in ms. */
const MAX_PAUSE = 2_000;
/** The password was refused: it may have been rotated. */
const REFUSED = /^(WRONGPASS|NOAUTH|ERR invalid password)/;

/**
 * A connection that comes back by itself, and keeps what was asked of it meanwhile. Throws `queue-unavailable` where
 * Redis is not there to begin with.
 * @param onTrouble told once for each time that it is lost
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
    // The library calls it on the options of a connection, and duplicates of this one have theirs.
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
        // The next refusal asks again.
        () => {},
      );
  });
  redis.on("ready", () => {
    lost = false;
  });
  // Not `close`, which it says also when it is closed here.
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

/** The library's errors, in Holdfast's words; an error of ours as it is. */
export function unavailable({ options }: Redis, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const { code, message = "" } = (cause ?? {}) as NodeJS.ErrnoException;
  const what = code ?? /^[A-Z]+(?= )/.exec(message)?.[0] ?? "no answer";
  return new HoldfastError("queue-unavailable", `Redis at ${options.host}:${options.port} cannot be used (${what})`, {
    cause,
    hint: "Check the address, the password and the server. Nothing is lost: what was under way is done again.",
  });
}
