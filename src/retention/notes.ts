import type { Catalog } from "../catalog/catalog.ts";
import { isBefore } from "../core/timestamp.ts";
import { laterOf } from "./keep.ts";
import { removeAll } from "./remove.ts";
import type { Term } from "./terms.ts";
import type { Work } from "./work.ts";

/** A sealed note, and until when it is kept. */
export interface NoteTerm extends Omit<Term, "kind"> {
  readonly kind: "note";
}

/**
 * The sealed notes about a subject. They say why something was done with the records, so they are kept as long as the
 * last of these, and go with it.
 * @param terms what else the vault holds of the subject
 */
export function noteTermsOf(catalog: Catalog, subject: string, terms: readonly Term[]): NoteTerm[] {
  const until = terms.map((term) => term.until).reduce(laterOf, Temporal.Instant.fromEpochMilliseconds(0));
  return catalog.notes.kept(subject).map(({ key, versionId, size, sha256, lockedUntil, lockMode, stored }) => ({
    kind: "note",
    key,
    versionId,
    size,
    sha256,
    lockedUntil,
    lockMode,
    stored,
    until,
  }));
}

/**
 * Deletes the notes about people of whom a purge left nothing: its `record.purged` must be in the vault. From
 * then on verify accepts that they are missing. A note whose lock outlasts those of the records waits for the next purge.
 * Returns how many were deleted.
 */
export async function removeFreeNotes(work: Work, failed: (subject: string, error: unknown) => void): Promise<number> {
  const { catalog, holds, ledger, now, signal } = work;
  let gone = 0;
  for (const [subject, notes] of Map.groupBy(catalog.notes.free(), (note) => note.subject)) {
    if (signal.aborted) break;
    if (catalog.holds.of(subject).length > 0) continue;
    const removed: { key: string; versionId: string; versions: number }[] = [];
    try {
      for (const { key, versionId, lockedUntil } of notes) {
        if (isBefore(now(), Temporal.Instant.from(lockedUntil))) continue;
        removed.push({ key, versionId, versions: await removeAll(work, key) });
      }
    } catch (error) {
      failed(subject, error);
    }
    if (removed.length === 0) continue;
    holds();
    await ledger.log({ type: "note.purged", subject, notes: removed });
    gone += removed.length;
  }
  await ledger.flush();
  return gone;
}
