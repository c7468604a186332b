import type { RedisAddress } from "../workers/address.ts";
import { connectRedis } from "../workers/redis.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning, failure } = findings("redis");

/** Checks the Redis that the workers of a backfill use. */
export async function checkRedis(address: RedisAddress): Promise<Finding[]> {
  const { protocol, hostname, password } = new URL(address.secret.reveal());
  const found: Finding[] = [];
  try {
    const redis = await connectRedis(address, () => {});
    try {
      const info = await redis.info();
      const said = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "unknown";
      found.push(ok(`answers, version ${said("redis_version")}`));
      if (said("maxmemory_policy") !== "noeviction")
        found.push(
          failure(
            `evicts keys when memory is short (maxmemory-policy ${said("maxmemory_policy")})`,
            "Set maxmemory-policy noeviction: the coordinator treats an evicted key as a dead worker.",
          ),
        );
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    return [failed("redis", error)];
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (password === "" && !local)
    found.push(warning("requires no password", "Set one (requirepass), and block the port for everyone else."));
  if (protocol === "redis:" && !local)
    found.push(
      warning(
        "connection without TLS",
        "Use rediss://: records are sealed in transit, but who is fetched and when is not.",
      ),
    );
  return found;
}
