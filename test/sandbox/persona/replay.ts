/** A POST with an Idempotency-Key gets its first answer again, failures included: never send one with a search. */
import { conflict, type Refusal } from "./refusal.ts";

export interface Outcome {
  readonly text: string;
  readonly refusal?: Refusal;
}

export class Replays {
  readonly #answers = new Map<string, { readonly asked: string; readonly outcome: Outcome }>();

  find(key: string, asked: string): Outcome | undefined {
    const known = this.#answers.get(key);
    if (known && known.asked !== asked) throw conflict("Idempotency-Key was used for another request");
    return known?.outcome;
  }

  keep(key: string, asked: string, outcome: Outcome): void {
    this.#answers.set(key, { asked, outcome });
  }
}
