import { Secret, SecretRef } from "../config/secret.ts";
import { HoldfastError } from "../error.ts";

/**
 * Where the processes of one backfill meet. From the command line: `redis://host:6379`, or, because others on a machine
 * can read its command lines, `env:NAME` or another reference to a secret for an address with a password in it.
 */
export async function redisAddress(text: string, folder: string): Promise<Secret> {
  const address = /^(env|file|aws-secretsmanager):/.test(text)
    ? await SecretRef.parse(text, folder).resolve()
    : new Secret(text);
  const { protocol } = URL.parse(address.reveal()) ?? {};
  if (protocol === "redis:" || protocol === "rediss:") return address;
  throw new HoldfastError("usage", "that is no address of Redis (not shown: it may hold a password)", {
    mend: "Write redis://host:6379 or rediss://…, or env:NAME or file:path that holds it.",
  });
}
