import { Secret, SecretRef } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";

export interface RedisAddress {
  /** As it was when the process began. */
  readonly secret: Secret;
  /** As it is now: its password may have been rotated. */
  readonly renewed: () => Promise<Secret>;
}

/**
 * Where the processes of one backfill meet. From the command line: `redis://host:6379`, or, because others on a machine
 * can read its command lines, `env:NAME` or another reference to a secret for an address with a password in it.
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
      "the address of Redis on the command line has a user, a password or options (not shown)",
      {
        hint: "Everyone on this machine can read command lines. Write env:NAME or file:/path, where the whole address is.",
      },
    );
  }
  if (url?.hostname && (url.protocol === "redis:" || url.protocol === "rediss:")) return address;
  throw new HoldfastError("usage", "that is no address of Redis (not shown: it may hold a password)", {
    hint: "Write redis://host:6379 or rediss://…, or env:NAME or file:path that holds it.",
  });
}

/** Wherever the library takes one from, and where a person may think that it does. */
function holdsPassword({ username, password, search }: URL): boolean {
  return `${username}${password}${search}` !== "";
}
