import { HoldfastError, hasCode, isTransient, ownError } from "../core/error.ts";

/** After this many outages in a row the vault is down; each one was already retried for a long time. */
const OUTAGES = 10;
/** After this many refusals in a row, a right is missing: the objects are not the reason. */
const REFUSALS = 500;

/** Counts failures in a row. When they are no longer caused by single objects, the run stops. */
export class InARow {
  #count = 0;
  #end: HoldfastError | undefined;

  /** The run must send no more requests to the vault. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  succeeded(): void {
    this.#count = 0;
  }

  failed(error: unknown): void {
    // This concerns one object only, and the vault does answer.
    if (hasCode(error, "vault-missing", "malformed", "incomplete")) return;
    this.#count += 1;
    if (hasCode(error, "busy", "interrupted", "state", "forked")) this.#end ??= ownError(error);
    else if (this.#count >= (isTransient(error) ? OUTAGES : REFUSALS)) {
      const { code, message, hint } = ownError(error) ?? UNKNOWN;
      const what = `stopped after ${this.#count} failures in a row; the last one: ${message}`;
      this.#end ??= new HoldfastError(code, what, { cause: error, hint });
    }
  }

  /** Throws the reason to stop. Call it after everything done so far is logged. */
  check(): void {
    if (this.#end) throw this.#end;
  }
}

const UNKNOWN = { code: "internal", message: "an unexpected error", hint: undefined } as const;
