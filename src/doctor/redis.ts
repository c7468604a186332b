import type { RedisAddress } from "../workers/address.ts";
import { connectRedis } from "../workers/redis.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning, failure } = findings("redis");

/** Where the workers of a backfill meet. */
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
            `throws keys away when memory is short (maxmemory-policy ${said("maxmemory_policy")})`,
            "Set maxmemory-policy noeviction: what is thrown away, the coordinator takes for a worker that died.",
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
    found.push(warning("asks for no password", "Set one (requirepass), and keep the port from everyone else."));
  if (protocol === "redis:" && !local)
    found.push(
      warning("is spoken to without TLS", "Use rediss://: what passes is sealed, who is asked for and when is not."),
    );
  return found;
}
