import { randomBytes } from "node:crypto";
import type { HeldVault } from "../held/held-vault.ts";
import type { Ledger } from "../held/ledger.ts";
import { firstMode } from "../retention/first-lock.ts";
import { termsOf } from "../retention/terms.ts";
import { Sealer } from "../seal/seal.ts";
import { noteKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import { encodeNote, type NoteWords } from "./note.ts";

/** Locks that end sooner than this are left out: a store refuses one that has ended when the request arrives. */
const SOON = { seconds: 60 };

/** Seals notes for a client's recipients, stores them, and says so in the log. */
export class NoteWriter {
  readonly #held: HeldVault;
  readonly #ledger: Ledger;
  readonly #sealer: Sealer;

  constructor(held: HeldVault, ledger: Ledger) {
    this.#held = held;
    this.#ledger = ledger;
    this.#sealer = new Sealer(held.config.recipients);
  }

  /**
   * One note about one person. The entry that has the same commitment comes after it: a run that is killed in between
   * loses no words.
   */
  async store(subject: string, commitment: string, words: NoteWords): Promise<void> {
    const { vault, config, now, holds } = this.#held;
    const key = noteKey(subject, randomBytes(16).toString("hex"));
    const sealed = await this.#sealer.seal(encodeNote(config.id, words));
    const lock = this.#lockOf(subject);
    holds();
    const { versionId, size, sha256 } = await vault.put(key, sealed, { lock, holds });
    await this.#ledger.log({
      type: "note.stored",
      subject,
      note: { key, versionId, size, sha256 },
      commitment,
      lockedUntil: (lock?.until ?? now()).toString({ smallestUnit: "second" }),
      lockMode: lock?.mode ?? firstMode(config),
    });
  }

  /** As long as the last lock of the person's records and no longer: the note must not outlast them. */
  #lockOf(subject: string): Lock | undefined {
    const { config, catalog, now } = this.#held;
    const until = termsOf(catalog, config.retention, subject)
      .map(({ lockedUntil }) => Temporal.Instant.from(lockedUntil))
      .sort(Temporal.Instant.compare)
      .at(-1);
    if (until === undefined || Temporal.Instant.compare(until, now().add(SOON)) < 0) return undefined;
    return { mode: firstMode(config), until };
  }
}
