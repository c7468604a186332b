import type { Redis } from "ioredis";
import { tell } from "./identity-worker.ts";

/** Counts the marks of others on a job, if Redis has it, and adds one if there are not too many. */
const BEGIN = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
local others = 0
for _, name in ipairs(redis.call("HKEYS", KEYS[1])) do
  if string.sub(name, 1, 6) == "begun:" and name ~= ARGV[1] then others = others + 1 end
end
if others <= tonumber(ARGV[2]) then redis.call("HSET", KEYS[1], ARGV[1], "") end
return others`;

/**
 * Counts the workers that crashed on a job: each leaves a mark in the job's hash when it begins, and takes it back
 * unless it crashes. BullMQ's own count of stalled jobs also has those whose worker only lost its connection.
 */
export class Crashes {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * Call it before the work. Resolves with how many began before and did not end: with more than `most`, this one has
   * not begun.
   * @param key of the job's hash
   * @param token of this worker for this job
   */
  async begin(key: string, token: string, most: number): Promise<number> {
    return Number((await tell(() => this.#redis.eval(BEGIN, 1, key, mark(token), most))) ?? 0);
  }

  /** This worker leaves the job, and did not crash. */
  async end(key: string, token: string): Promise<void> {
    await tell(() => this.#redis.hdel(key, mark(token)));
  }
}

function mark(token: string): string {
  return `begun:${token}`;
}
