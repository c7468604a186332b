import { fromHex, signer } from "./hmac.ts";
import { header, JSON_TYPE, type Scheme, TOLERANCE, wholeText } from "./scheme.ts";

/** What a valid header stays far below. */
const MOST = { length: 4096, sets: 4, signatures: 16 };

/** One `t=…,v1=…` of the header. */
interface Signed {
  /** Its digits are what is signed. */
  readonly time: string;
  readonly signatures: readonly Uint8Array[];
}

/**
 * Stripe and Persona: `t=<unix time>,v1=<hex>`, where v1 is HMAC-SHA-256 of `<t>.<body>` under the whole secret. Stripe
 * lists several v1 while a secret is rolled, Persona several sets, each with a time of its own. Other versions are ignored.
 * @param sets whether the header may have several sets, separated by a space
 */
export function timestamped(name: string, { sets }: { readonly sets: boolean }): Scheme {
  return {
    key: wholeText,
    types: JSON_TYPE,
    verify(delivery, keys, now) {
      const text = header(delivery, name);
      if (text === undefined || text.length > MOST.length) return undefined;
      const all = (sets ? text.split(" ") : [text]).map(parse);
      if (all.length > MOST.sets || all.includes(undefined)) return undefined;
      for (const signed of all) {
        if (signed === undefined || !isFresh(signed.time, now)) continue;
        const secret = signer("sha256", keys, [signed.time, ".", delivery.body], signed.signatures);
        if (secret !== undefined) return { secret, text: delivery.body };
      }
      return undefined;
    },
  };
}

/** Undefined if any part is not as it must be. */
function parse(text: string): Signed | undefined {
  const fields = text.split(",").map((field) => /^([a-z0-9]{1,10})=([0-9a-f]+)$/.exec(field) ?? []);
  const of = (wanted: string) => fields.filter(([, name]) => name === wanted).map(([, , value = ""]) => value);
  const [times, said] = [of("t"), of("v1")];
  const signatures = said.flatMap((hex) => fromHex(hex, "sha256") ?? []);
  const isWhole = fields.every(({ length }) => length > 0) && signatures.length === said.length;
  if (!isWhole || times.length !== 1 || signatures.length > MOST.signatures) return undefined;
  return { time: times[0]!, signatures };
}

/** Whether a time that the sender signed is near enough to now. What is too new is refused too. */
export function isFresh(time: string, now: Temporal.Instant): boolean {
  return /^\d{1,12}$/.test(time) && Math.abs(now.epochMilliseconds / 1000 - Number(time)) <= TOLERANCE;
}
