import * as z from "zod";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";
import { Box } from "../seal/secretbox.ts";
import { Tokens } from "./tokens.ts";

const located = z.object({ kind: z.string(), id: z.string().min(1).max(200) });

/**
 * Closes providers' ids, which are personal, so that the log and the state can hold them: encrypted and authenticated
 * under a key derived from the lookup key, and bound to their subject. With them, the source can be asked about someone
 * without its list (docs/FORMAT.md, section 4).
 */
export class Handles {
  readonly #box: Box;
  readonly #tokens: Tokens;

  /** @param key the client's lookup key */
  constructor(key: Secret) {
    this.#box = new Box(key, "roster");
    this.#tokens = new Tokens(key);
  }

  close(subject: string, kind: string, id: string): string {
    return this.#box.close(JSON.stringify({ kind, id }), `subject ${subject}`);
  }

  /** The provider's id. Throws `unverified` or `malformed` if it was not closed here for this subject and kind. */
  open(subject: string, kind: string, handle: string): string {
    let text: string;
    try {
      text = this.#box.open(handle, `subject ${subject}`);
    } catch (cause) {
      throw new HoldfastError("unverified", "a closed provider id is not of this subject or this lookup key", {
        cause,
      });
    }
    let found: z.output<typeof located>;
    try {
      found = located.parse(JSON.parse(text));
    } catch {
      // No cause: a parser's error may repeat the id.
      throw new HoldfastError("malformed", "a closed provider id is not in the format of docs/FORMAT.md, section 4");
    }
    if (found.kind !== kind)
      throw new HoldfastError("malformed", "a closed provider id belongs to a source of another kind");
    // Everyone with the lookup key can close any id.
    if (this.#tokens.subject(kind, found.id) !== subject)
      throw new HoldfastError("unverified", "a closed provider id is of another subject");
    return found.id;
  }
}
