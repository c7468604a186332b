import { HoldfastError } from "../core/error.ts";
import { keptAfterAll } from "./purge-plan.ts";
import { removeAll } from "./remove.ts";
import { type Term, termsOf } from "./terms.ts";
import type { Work } from "./work.ts";

export interface Settled {
  /** Objects that still exist, whose purge was withdrawn: they stay. */
  readonly withdrawn: number;
  /** Objects that were already gone. */
  readonly gone: readonly Term[];
}

/**
 * Settles an interrupted purge of objects that policy, holds or relationship now require. What still exists is
 * withdrawn from the purge. What is gone was due when it went, and is logged as purged: the log must not promise it. If
 * the provider still has it, it is fetched again: a record by the next export, a file with the person's next version or
 * by `export --identity --again`.
 */
export async function settleBegun(work: Work, subject: string): Promise<Settled> {
  const { catalog, now, holds } = work;
  const { retention } = work.config;
  const begun = keptAfterAll(catalog, retention, subject, now());
  if (begun.length === 0) return { withdrawn: 0, gone: [] };
  const terms = termsOf(catalog, retention, subject);
  const of = new Map(terms.map((term) => [term.key, term]));
  const there: string[] = [];
  const gone: { term: Term; since: string }[] = [];
  for (const { key, since } of begun) {
    const term = of.get(key);
    if (await isThere(work, key, term)) there.push(key);
    else if (term) gone.push({ term, since });
  }
  const objects = [];
  // Delete markers, or a plain name, may still be there.
  for (const { term, since } of gone) objects.push(objectOf(term, since, await removeAll(work, term.key)));
  const whole = gone.length === terms.length;
  const ended = catalog.relationships.ended(subject);
  if (objects.length > 0) {
    holds();
    await work.ledger.log({
      type: "record.purged",
      subject,
      objects,
      whole,
      ...(ended === undefined ? {} : { ended }),
    });
  }
  // Nothing is left of a person whose relationship lasts: without this entry, the next export would skip them.
  if (whole && gone.length > 0 && ended === undefined)
    await work.ledger.log({ type: "relationship.reopened", subject });
  if (there.length > 0) {
    holds();
    await work.ledger.log({ type: "purge.withdrawn", subject, keys: there });
  }
  return { withdrawn: there.length, gone: gone.map(({ term }) => term) };
}

/** Whether the vault has the version that the log promises. Throws `incomplete` if it has only other versions. */
async function isThere({ vault }: Work, key: string, term: Term | undefined): Promise<boolean> {
  let others = false;
  for await (const version of vault.versions(key)) {
    if (version.key !== key || version.deleteMarker) continue;
    if (term === undefined || version.versionId === term.versionId) return true;
    others = true;
  }
  if (!others) return false;
  throw new HoldfastError(
    "incomplete",
    `${key}: its purge was interrupted, and only versions are left that no entry names`,
    {
      hint: "Run `holdfast verify --orphans`. The object must be kept; its log entry says what it was.",
    },
  );
}

/** The due date under the rules of that time is no longer known: at the latest it was when the purge began. */
function objectOf({ key, versionId, size, sha256 }: Term, since: string, versions: number) {
  return { key, versionId, size, sha256, versions, due: since };
}
