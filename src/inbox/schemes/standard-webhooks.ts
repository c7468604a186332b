import type { Secret } from "../../config/secret.ts";
import { signer } from "./hmac.ts";
import { header, JSON_TYPE, type Scheme, unfitSecret } from "./scheme.ts";
import { isFresh } from "./timestamped.ts";

const MOST = 16;
/** A dot would end the id inside of what is signed. */
const ID = /^[!-\-/-~]{1,200}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** Standard Webhooks (standardwebhooks.com): `v1,<base64>` of HMAC-SHA-256 over `<id>.<time>.<body>`; several are possible. */
export const standardWebhooks: Scheme = {
  key,
  types: JSON_TYPE,
  verify(delivery, keys, now) {
    const [id, time, said] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
      header(delivery, name),
    );
    if (id === undefined || !ID.test(id) || time === undefined || !isFresh(time, now)) return undefined;
    // Other versions than v1 are ignored.
    const own = (said ?? "").split(" ").filter((each) => each.startsWith("v1,"));
    const signatures = own.flatMap((each) => decoded(each.slice(3)) ?? []);
    if (signatures.length < own.length || own.length > MOST) return undefined;
    const secret = signer("sha256", keys, [`${id}.${time}.`, delivery.body], signatures);
    return secret === undefined ? undefined : { secret, text: delivery.body, id };
  },
};

function decoded(base64: string): Uint8Array | undefined {
  const bytes = BASE64.test(base64) ? Buffer.from(base64, "base64") : undefined;
  // The last digit before the padding has two spare bits: only one of four spellings is right.
  return bytes?.toString("base64") === base64 ? bytes : undefined;
}

function key(secret: Secret): Uint8Array {
  const [, base64 = ""] = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/.exec(secret.reveal()) ?? [];
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length >= 16 && bytes.length <= 128) return bytes;
  throw unfitSecret("of Standard Webhooks", "Write it as the sender shows it: whsec_ and base64 of 24 to 64 bytes.");
}
