import PQueue from "p-queue";
import { HoldfastError } from "../core/error.ts";
import { versionsOf } from "../vault/layout.ts";
import { InARow } from "./in-a-row.ts";
import { termsOf } from "./terms.ts";
import type { Work } from "./work.ts";

/** A case, as logged: a keyed token of its number, and a commitment to number and reason. */
export interface Case {
  readonly token: string;
  readonly commitment: string;
  /** Seals the words beside the log, before the entry about this subject. */
  readonly note?: (subject: string) => Promise<void>;
}

export interface HoldsChanged {
  readonly subjects: number;
  /** Versions in the store whose legal hold was placed or released. */
  readonly objects: number;
  /** Subjects that needed no change. */
  readonly unchanged: number;
}

/**
 * Holds every version of every object of these subjects, including objects that no entry mentions. The store's hold
 * comes first, then the entry: the log must not promise a hold that does not exist. Run again after a crash, it adds
 * what is missing.
 */
export async function placeHolds(
  work: Work,
  subjects: readonly string[],
  { token, commitment, note = async () => {} }: Case,
): Promise<HoldsChanged> {
  const { catalog } = work;
  return each(work, subjects, async (subject, set) => {
    const isPlaced = catalog.holds.of(subject).some((hold) => hold.case === token);
    const objects = await set(subject, true, (key, versionId) => !catalog.holds.isHeld(key, versionId));
    if (isPlaced && objects.length === 0) return undefined;
    if (!isPlaced) await note(subject);
    await work.ledger.log({ type: "hold.placed", subject, case: token, commitment, objects });
    return objects.length;
  });
}

/**
 * The entry comes first, then the store's hold is released, unless another case needs it: the log must not promise a
 * hold that does not exist. Run again after a crash, or for a hold without an entry, it releases what is left.
 */
export async function releaseHolds(
  work: Work,
  subjects: readonly string[],
  { token, commitment, note = async () => {} }: Case,
): Promise<HoldsChanged> {
  const { catalog, ledger } = work;
  return each(work, subjects, async (subject, set) => {
    const wasPlaced = catalog.holds.of(subject).some((hold) => hold.case === token);
    if (wasPlaced) {
      await note(subject);
      await work.ledger.log({ type: "hold.released", subject, case: token, commitment });
      await ledger.flush();
    }
    if (catalog.holds.of(subject).length > 0) return wasPlaced ? 0 : undefined;
    const objects = await set(subject, false, () => true);
    return wasPlaced || objects.length > 0 ? objects.length : undefined;
  });
}

/**
 * Also holds what was stored of held subjects after their hold was placed. If one subject fails, the others continue.
 * Returns how many subjects failed.
 */
export async function holdNew(work: Work): Promise<number> {
  const { holds } = work.catalog;
  const row = new InARow();
  let failed = 0;
  for (const subject of holds.subjects()) {
    const stored = termsOf(work.catalog, work.config.retention, subject);
    if (stored.every(({ key, versionId }) => holds.isHeld(key, versionId))) continue;
    const [{ case: token, commitment } = absent(subject)] = holds.of(subject);
    try {
      await placeHolds({ ...work, onSubject: () => {} }, [subject], { token, commitment });
      row.succeeded();
    } catch (error) {
      failed += 1;
      work.onFailure(subject, error);
      row.failed(error);
      row.check();
    }
  }
  return failed;
}

function absent(subject: string): never {
  throw new HoldfastError("internal", `${subject} is held by no case`);
}

type SetHold = (
  subject: string,
  held: boolean,
  wanted: (key: string, versionId: string) => boolean,
) => Promise<{ key: string; versionId: string }[]>;

/** One subject after the other; `change` returns undefined if nothing was needed. */
async function each(
  work: Work,
  subjects: readonly string[],
  change: (subject: string, set: SetHold) => Promise<number | undefined>,
): Promise<HoldsChanged> {
  const { config, vault, ledger, signal, holds, onSubject } = work;
  const queue = new PQueue({ concurrency: config.vault.concurrency });
  const set: SetHold = async (subject, held, wanted) => {
    const found: { key: string; versionId: string }[] = [];
    for await (const { key, versionId, deleteMarker } of versionsOf(vault, subject)) {
      if (!deleteMarker && wanted(key, versionId)) found.push({ key, versionId });
    }
    const changed = await Promise.all(
      found.map((object) =>
        queue.add(async () => {
          holds();
          // Skip objects that are not held: the result counts only changes, and a release needs a right.
          if (!held && !(await vault.head(object.key, object.versionId)).hold) return [];
          await vault.hold(object.key, object.versionId, held);
          return [object];
        }),
      ),
    );
    return changed.flat();
  };
  const changed = { subjects: 0, objects: 0, unchanged: 0 };
  for (const [at, subject] of subjects.entries()) {
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; run it again to do the rest");
    const objects = await change(subject, set);
    if (objects === undefined) changed.unchanged += 1;
    else {
      changed.subjects += 1;
      changed.objects += objects;
    }
    onSubject(at + 1, subjects.length);
  }
  await ledger.flush();
  return changed;
}
