import { HoldfastError } from "../core/error.ts";
import { keptAfterAll } from "./purge-plan.ts";
import { removeAll } from "./remove.ts";
import { type Term, termsOf } from "./terms.ts";
import type { Work } from "./work.ts";

export interface Settled {
  /** Objects whose purge was withdrawn: they are there, and stay. */
  readonly withdrawn: number;
  /** Objects that were gone already. */
  readonly gone: readonly Term[];
}

/**
 * What an earlier purge of a subject began with and did not end, and what policy, holds or relationship want kept by
 * now. What is still there is withdrawn from the purge. What is gone was due when it went, and is logged as purged: the
 * log must not promise it. Where the provider still has it, it is taken again: a record by the next export, a file with the
 * person's next version or by `export --identity --again`.
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
  // Delete markers may be left of it, or a plain name.
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
  // Nothing is left of someone whose relationship lasts: without this, the next export would leave them out.
  if (whole && gone.length > 0 && ended === undefined)
    await work.ledger.log({ type: "relationship.reopened", subject });
  if (there.length > 0) {
    holds();
    await work.ledger.log({ type: "purge.withdrawn", subject, keys: there });
  }
  return { withdrawn: there.length, gone: gone.map(({ term }) => term) };
}

/** Whether the version that the log promises is in the vault. Throws `incomplete` where another one is there instead. */
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
    `${key}: its purge was stopped, and only versions are left that no entry names`,
    {
      hint: "Run `holdfast verify --orphans`. It must be kept; what it was is told by its entry in the log.",
    },
  );
}

/** How long it had to be kept by the rules of that time is not known any more: at the latest, until its purge began. */
function objectOf({ key, versionId, size, sha256 }: Term, since: string, versions: number) {
  return { key, versionId, size, sha256, versions, due: since };
}
