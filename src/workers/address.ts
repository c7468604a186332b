import { Secret, SecretRef } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";

export interface RedisAddress {
  /** The address as it was when the process started. */
  readonly secret: Secret;
  /** The address as it is now: its password may have been rotated. */
  readonly renewed: () => Promise<Secret>;
}

/**
 * The address of the Redis server that the processes of a backfill share. From the command line: `redis://host:6379`
 * or, for an address with a password, `env:NAME` or another secret reference, because other users on a machine can read
 * its command lines.
 */
export async function redisAddress(text: string, folder: string): Promise<RedisAddress> {
  const isReference = /^(env|file|aws-secretsmanager):/.test(text);
  const read = async () => (isReference ? SecretRef.parse(text, folder).resolve() : new Secret(text));
  const renewed = async () => checked(await read(), isReference);
  return { secret: await renewed(), renewed };
}

function checked(address: Secret, isReference: boolean): Secret {
  const url = URL.parse(address.reveal());
  if (url && !isReference && holdsPassword(url)) {
    throw new HoldfastError(
      "usage",
      "the Redis address on the command line contains a user, a password or options (not shown)",
      {
        hint: "Use env:NAME or file:/path for the whole address: everyone on this machine can read command lines.",
      },
    );
  }
  if (url?.hostname && (url.protocol === "redis:" || url.protocol === "rediss:")) return address;
  throw new HoldfastError("usage", "not a valid Redis address (not shown: it may contain a password)", {
    hint: "Write redis://host:6379 or rediss://…, or env:NAME or file:path for a secret that contains it.",
  });
}

/** Everywhere the library reads a password from, or a person may think it does. */
function holdsPassword({ username, password, search }: URL): boolean {
  return `${username}${password}${search}` !== "";
}
