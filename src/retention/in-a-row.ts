import { HoldfastError, hasCode, isTransient, ownError } from "../core/error.ts";

/** Outages in a row after which it is the vault that is down; each was retried for long. */
const OUTAGES = 10;
/** Refusals in a row after which it is a right that is missing, and not the objects. */
const REFUSALS = 500;

/** Failures in a row: when they are no longer one object's own, the run stops asking. */
export class InARow {
  #count = 0;
  #end: HoldfastError | undefined;

  /** Nothing more is to be asked of the vault. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  succeeded(): void {
    this.#count = 0;
  }

  failed(error: unknown): void {
    // One object's own, and the vault answers.
    if (hasCode(error, "vault-missing", "malformed", "incomplete")) return;
    this.#count += 1;
    if (hasCode(error, "busy", "interrupted", "state", "forked")) this.#end ??= ownError(error);
    else if (this.#count >= (isTransient(error) ? OUTAGES : REFUSALS)) {
      const { code, message, hint } = ownError(error) ?? UNKNOWN;
      const what = `stopped after ${this.#count} failures in a row; the last one: ${message}`;
      this.#end ??= new HoldfastError(code, what, { cause: error, hint });
    }
  }

  /** Throws why nothing more is to be asked, once what was done is logged. */
  check(): void {
    if (this.#end) throw this.#end;
  }
}

const UNKNOWN = { code: "internal", message: "an unexpected error", hint: undefined } as const;
