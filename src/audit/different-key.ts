import { HoldfastError } from "../core/error.ts";
import { quoted } from "../core/printable.ts";

/** Characters of a log key that are shown: the whole of any that is not made to fill the screen. */
const MOST = 400;

/** A log key from a vault, a bag or a certificate. Its name may be anything. */
export const keyText = (vkey: string): string => quoted(vkey, MOST);

const CHECK =
  "Check first that yours is the right one: ask the client for it through a separate channel. If it is right, someone else made this, or replaced the log. Keep everything as it is.";

/**
 * What was checked is not signed by the log key that its reader trusts. That key may be the wrong one, or a forger may
 * have signed all of it with another: from here no one can tell, so it is the graver of the two.
 * @param what brought `vkey` along, as a message begins with it
 */
export function differentKey(what: string, vkey: string, given = "the one you gave", hint = CHECK): HoldfastError {
  return new HoldfastError("unverified", `${what} uses a different log key than ${given}: ${keyText(vkey)}`, { hint });
}
