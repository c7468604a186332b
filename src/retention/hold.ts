import PQueue from "p-queue";
import { HoldfastError } from "../core/error.ts";
import { InARow } from "./in-a-row.ts";
import { versionsOf } from "./objects.ts";
import { termsOf } from "./terms.ts";
import type { Work } from "./work.ts";

/** A case, as the log has it: a keyed token of its number, and a commitment to number and reason. */
export interface Case {
  readonly token: string;
  readonly commitment: string;
}

export interface HoldsChanged {
  readonly subjects: number;
  /** Versions in the store whose legal hold was placed or lifted. */
  readonly objects: number;
  /** Subjects for which it was so already. */
  readonly unchanged: number;
}

/**
 * Holds every version of every object of these subjects, also those that no entry mentions. The store's hold comes
 * first, then the entry: the log promises none that is not there. Done again after a crash, it holds what is missing.
 */
export async function placeHolds(
  work: Work,
  subjects: readonly string[],
  { token, commitment }: Case,
): Promise<HoldsChanged> {
  const { catalog } = work;
  return each(work, subjects, async (subject, set) => {
    const stands = catalog.holds.of(subject).some((hold) => hold.case === token);
    const objects = await set(subject, true, (key, versionId) => !catalog.holds.isHeld(key, versionId));
    if (stands && objects.length === 0) return undefined;
    await work.ledger.log({ type: "hold.placed", subject, case: token, commitment, objects });
    return objects.length;
  });
}

/**
 * The entry comes first, then the store's hold is lifted, unless another case needs it: the log promises no hold that is
 * not there. Done again after a crash, or for a hold that no entry tells of, it lifts what is left.
 */
export async function releaseHolds(
  work: Work,
  subjects: readonly string[],
  { token, commitment }: Case,
): Promise<HoldsChanged> {
  const { catalog, ledger } = work;
  return each(work, subjects, async (subject, set) => {
    const stood = catalog.holds.of(subject).some((hold) => hold.case === token);
    if (stood) {
      await work.ledger.log({ type: "hold.released", subject, case: token, commitment });
      await ledger.flush();
    }
    if (catalog.holds.of(subject).length > 0) return stood ? 0 : undefined;
    const objects = await set(subject, false, () => true);
    return stood || objects.length > 0 ? objects.length : undefined;
  });
}

/**
 * What was stored of held subjects since their hold was placed is held too. One subject's failure does not stop the
 * others. Gives how many subjects failed.
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

/** One subject after the other; undefined from `change` is one that needed nothing. */
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
          // A lifted hold is not lifted again: that is told, and costs a right.
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
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; run it again, and it does the rest");
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
