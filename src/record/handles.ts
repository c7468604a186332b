import { z } from "zod";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";
import { Box } from "../seal/secretbox.ts";

const located = z.object({ kind: z.string(), id: z.string().min(1).max(200) });

/**
 * Closes providers' ids, which are personal, so that the log and the state can hold them: encrypted and authenticated
 * under a key derived from the lookup key, and bound to their subject. With them, the source can be asked about someone
 * without its list (docs/FORMAT.md, section 4).
 */
export class Handles {
  readonly #box: Box;

  /** @param key the client's lookup key */
  constructor(key: Secret) {
    this.#box = new Box(key, "roster");
  }

  close(subject: string, kind: string, id: string): string {
    return this.#box.close(JSON.stringify({ kind, id }), `subject ${subject}`);
  }

  /** The provider's id. Throws `unverified` or `malformed` if it was not closed here for this subject and kind. */
  open(subject: string, kind: string, handle: string): string {
    const text = this.#box.open(handle, `subject ${subject}`);
    let found: z.output<typeof located>;
    try {
      found = located.parse(JSON.parse(text));
    } catch {
      // No cause: a parser's error may repeat the id.
      throw new HoldfastError("malformed", "a closed provider id is not in the format of docs/FORMAT.md, section 4");
    }
    if (found.kind === kind) return found.id;
    throw new HoldfastError("malformed", "a closed provider id belongs to a source of another kind");
  }
}
