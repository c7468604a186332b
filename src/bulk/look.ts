import type PQueue from "p-queue";
import { HoldfastError, hasCode } from "../core/error.ts";
import { inTurn, locksQueue } from "../retention/in-turn.ts";
import type { Work } from "../retention/work.ts";
import { covers } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import type { Outcome } from "./outcomes.ts";

/** An object that has a lock according to a report. */
export interface Claimed extends Outcome {
  readonly lock: Lock;
}

/** Wrong claims that are told one by one. */
const TOLD = 100;

/** Asks the store about locks that reports claim. If it cannot answer, nothing may be logged: it throws. */
export class Looker {
  readonly #work: Work;
  readonly #queue: PQueue;
  looked = 0;
  wrong = 0;

  constructor(work: Work) {
    this.#work = work;
    this.#queue = locksQueue(work.config);
  }

  /** Those whose lock the store has. @param tell log the others, the first of them one by one */
  async confirmed(claims: readonly Claimed[], tell: boolean): Promise<Claimed[]> {
    const { signal } = this.#work;
    const found = await Promise.all(claims.map((claim) => inTurn(this.#queue, signal, () => this.#has(claim, tell))));
    if (signal.aborted) throw interrupted();
    return claims.filter((_, at) => found[at] === true);
  }

  async #has({ subject, key, versionId, lock }: Claimed, tell: boolean): Promise<boolean> {
    const { vault, onFailure } = this.#work;
    const is = await vault.lockOf(key, versionId).catch((error: unknown) => {
      if (hasCode(error, "vault-missing")) return null;
      throw error;
    });
    this.looked += 1;
    if (covers(is, lock)) return true;
    this.wrong += 1;
    if (tell && this.wrong <= TOLD) {
      const has = is === null ? "no lock" : `a lock in ${is.mode} mode until ${is.until}`;
      const what = `${key}: the report says that it is locked in ${lock.mode} mode until ${lock.until}, but the store has ${has}`;
      onFailure(subject, new HoldfastError("unlocked", what, { hint: "It stays due: the next run extends it." }));
    }
    return false;
  }
}

export function interrupted(): HoldfastError {
  return new HoldfastError("interrupted", "interrupted; the same command continues");
}
