import { HoldfastError, hasCode } from "../core/error.ts";
import { parseSigner, type Signer } from "./key.ts";

const RESTORE = "Restore the file that `holdfast init` made, from your backup; a log cannot go on under another key.";

/**
 * A log's private key that the config names. What is wrong with it is the config's fault and no sign that anyone changed
 * the vault: throws `config`, never `malformed`.
 * @param reference names it in an error, which holds no part of it
 */
export function ownSigner(skey: string, reference: string): Signer {
  try {
    return parseSigner(skey);
  } catch (cause) {
    if (!hasCode(cause, "malformed")) throw cause;
    const why = hasForm(skey) ? "its check digits do not fit" : "it does not begin with PRIVATE+KEY+, or is cut off";
    throw new HoldfastError("config", `${reference} is not a log key: ${why}`, { hint: RESTORE });
  }
}

function hasForm(skey: string): boolean {
  return /^PRIVATE\+KEY\+[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(skey);
}
