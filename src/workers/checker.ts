import PQueue from "p-queue";
import { HoldfastError, hasCode } from "../core/error.ts";
import type { Capture } from "../export/capture.ts";
import type { Exporting } from "../export/context.ts";
import { covers } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";

/**
 * Checks that the objects in a worker's result are in the vault and locked before the result is logged: the log must
 * not promise objects that never existed. One request per object. It only reads locks, which every exporter may do, so
 * it does not check size or bytes. `verify` does.
 */
export class Checker {
  readonly #exporting: Exporting;
  readonly #queue: PQueue;
  #isDenied = false;

  constructor(exporting: Exporting) {
    this.#exporting = exporting;
    this.#queue = new PQueue({ concurrency: exporting.config.vault.concurrency });
  }

  /** Throws `malformed` for an object that is missing or not locked as the capture says. */
  async check(capture: Capture): Promise<void> {
    if (!("entry" in capture) || capture.entry?.type !== "record.stored") return;
    const { object, files, lockedUntil, lockMode = "governance" } = capture.entry;
    const lock: Lock = { mode: lockMode, until: Temporal.Instant.from(lockedUntil) };
    const stored = [object, ...files.filter(({ storedWith }) => storedWith === undefined)];
    await Promise.all(stored.map(({ key, versionId }) => this.#queue.add(() => this.#checkLock(key, versionId, lock))));
  }

  async #checkLock(key: string, versionId: string, lock: Lock): Promise<void> {
    let found: Lock | null;
    try {
      found = await this.#exporting.vault.lockOf(key, versionId);
    } catch (error) {
      if (hasCode(error, "vault-denied")) return this.#denied();
      if (!hasCode(error, "vault-missing", "vault-rejected", "malformed")) throw error;
      throw untrue(key, "is not in the vault", error);
    }
    if (!covers(found, lock)) throw untrue(key, "is not locked as it says");
  }

  /** "Cannot check" does not mean wrong. Warns once. */
  #denied(): void {
    if (this.#isDenied) return;
    this.#isDenied = true;
    const { log, config } = this.#exporting;
    log.warn("cannot check what workers store before logging it: the right s3:GetObjectRetention is missing", {
      client: config.id,
    });
  }
}

function untrue(key: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError("malformed", `a worker's result names ${key}, which ${what}`, {
    cause,
    hint: "Nothing was logged for it. The next run stores this identity again.",
  });
}
