import { type Digest, fromHex, signer } from "./hmac.ts";
import { type Delivery, header, JSON_TYPE, type Scheme, wholeText } from "./scheme.ts";

interface Options {
  readonly digest?: Digest;
  /** Whether the digits may be upper case instead. */
  readonly anyCase?: boolean;
}

/**
 * Onfido, Sumsub and Veriff: a header with the hex HMAC of the body alone, under the whole secret. Nothing says when it
 * was sent, so a copy of it is valid forever. It does no harm: all that it makes happen is one more look at someone.
 * @param names of the header. If several of them come, all must say the same.
 */
export function bodyDigest(names: readonly string[], { digest = "sha256", anyCase = false }: Options = {}): Scheme {
  return {
    key: wholeText,
    types: JSON_TYPE,
    verify(delivery, keys) {
      const said = onlyOf(delivery, names);
      if (said === undefined) return undefined;
      const isUpper = anyCase && /^[0-9A-F]+$/.test(said);
      const signature = fromHex(isUpper ? said.toLowerCase() : said, digest);
      if (signature === undefined) return undefined;
      const secret = signer(digest, keys, [delivery.body], [signature]);
      return secret === undefined ? undefined : { secret, text: delivery.body };
    },
  };
}

function onlyOf(delivery: Delivery, names: readonly string[]): string | undefined {
  const present = names.filter((name) => delivery.headers[name] !== undefined);
  const values = new Set(present.map((name) => header(delivery, name)));
  return values.size === 1 ? [...values][0] : undefined;
}
