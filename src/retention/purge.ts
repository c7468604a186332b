import PQueue from "p-queue";
import { HoldfastError, hasCode } from "../error.ts";
import { type Purge, purgeOf, purges } from "./purge-plan.ts";
import type { Term } from "./terms.ts";
import { logged, parts, type Work } from "./work.ts";

export interface Purged {
  readonly subjects: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Versions and delete markers that were removed from the store. */
  readonly versions: number;
  /** Subjects past their date whom a hold or a lock keeps. */
  readonly kept: number;
  /** Subjects that could not be purged, or not wholly; the next purge goes on with them. */
  readonly failed: number;
}

/**
 * Removes what is past its date and held by nothing: every version and delete marker of it. First the log says that it
 * begins, in the vault and under its checkpoint; then the objects go; then the log says that they are gone. Stopped at
 * any point, the next purge goes on with it, and verify knows why something is missing.
 */
export async function purgeAll(work: Work): Promise<Purged> {
  const { catalog, retention, now, signal } = work;
  const tally = { subjects: 0, records: 0, files: 0, bytes: 0, versions: 0, kept: 0, failed: 0 };
  const planned: string[] = [];
  for (const { subject, kept } of purges(catalog, retention, now())) {
    if (kept) tally.kept += 1;
    else planned.push(subject);
  }
  const queue = new PQueue({ concurrency: work.concurrency });
  for (const [at, subject] of planned.entries()) {
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next purge goes on from here");
    const purge = purgeOf(catalog, retention, subject, now());
    if (purge === undefined || purge.kept) continue;
    try {
      const versions = await purgeOne(work, queue, purge);
      tally.subjects += 1;
      tally.versions += versions;
      for (const { kind, size } of purge.terms) {
        tally[kind === "record" ? "records" : "files"] += 1;
        tally.bytes += size;
      }
    } catch (error) {
      if (!hasCode(error, "vault-locked", "vault-unavailable")) throw error;
      tally.failed += 1;
      work.onFailure(subject, error);
    }
    work.onSubject(at + 1, planned.length);
  }
  await work.writer.flush();
  return tally;
}

async function purgeOne(work: Work, queue: PQueue, purge: Purge): Promise<number> {
  const { catalog, writer, holds } = work;
  const { subject, terms, ended, whole } = purge;
  const begun = new Set(catalog.life.unfinishedKeys(subject));
  const fresh = terms.map(({ key }) => key).filter((key) => !begun.has(key));
  if (fresh.length > 0) {
    for (const keys of parts(fresh)) await logged(work, { type: "purge.begun", subject, keys: [...keys] });
    // What is taken away without a trace must be in the vault as intended before: this machine may die in between.
    await writer.flush();
  }
  const removed = await Promise.all(terms.map((term) => queue.add(() => removeAll(work, term))));
  const objects = terms.map((term, at) => ({
    ...{ key: term.key, versionId: term.versionId, size: term.size, sha256: term.sha256 },
    ...{ versions: removed[at]!, due: (term.until ?? work.now()).toString({ smallestUnit: "second" }) },
  }));
  const all = [...parts(objects)];
  for (const [at, part] of all.entries()) {
    holds();
    const last = at === all.length - 1;
    await logged(work, {
      ...{ type: "record.purged", subject, objects: [...part], whole: whole && last },
      ...(ended === undefined ? {} : { ended }),
    });
  }
  return removed.reduce((sum, count) => sum + count, 0);
}

/** Every version and delete marker of one key, the oldest first: what readers see goes last. */
async function removeAll({ vault, holds }: Work, { key }: Term): Promise<number> {
  const versions: string[] = [];
  for await (const version of vault.versions(key)) if (version.key === key) versions.push(version.versionId);
  for (const versionId of versions.reverse()) {
    // Also for what is past: a clock that jumped ahead would take what must be kept.
    holds();
    try {
      await vault.deleteVersion(key, versionId);
    } catch (error) {
      if (!hasCode(error, "vault-locked")) throw error;
      throw new HoldfastError("vault-locked", `${key}: the store refuses to remove a version: ${error.message}`, {
        cause: error,
        mend: "A lock or a hold that the log does not know, or no right to delete versions. hold release --subject lifts a hold that no case stands for; a lock has to end.",
      });
    }
  }
  return versions.length;
}
