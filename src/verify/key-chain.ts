import type { Entry } from "../audit/entry.ts";
import type { Verifier } from "../audit/note.ts";
import { VAULT_JSON } from "../vault/layout.ts";
import type { Problem } from "./problem.ts";

/**
 * The log's keys, each handed over by the one before. vault.json lists them but is not signed, so it is only believed
 * if the log confirms it: by an entry that names both keys, under a checkpoint that the old key signed. An attacker
 * with a key of their own, who lists the real key as its predecessor, cannot show that.
 */
export class KeyChain {
  readonly #handedOver = new Map<string, number>();

  note(index: number, entry: Entry): void {
    if (entry.type === "key.changed") this.#handedOver.set(`${entry.from} ${entry.to}`, index);
  }

  /**
   * @param verifiers the current key first, then its predecessors, newest first
   * @param checkpoints every head of the log that the vault keeps, including the current one
   */
  check(
    verifiers: readonly Verifier[],
    checkpoints: readonly { readonly size: number; readonly signers: readonly string[] }[],
    problem: (found: Problem) => void,
  ): void {
    for (let position = 1; position < verifiers.length; position++) {
      const from = verifiers[position]!.vkey;
      const to = verifiers[position - 1]!.vkey;
      const entry = this.#handedOver.get(`${from} ${to}`);
      const shown = checkpoints.some(
        ({ size, signers }) => entry !== undefined && size > entry && signers.includes(from),
      );
      if (!shown) problem({ key: VAULT_JSON, what: `the log key ${from} never handed the log over to ${to}` });
    }
  }
}
