import type { Catalog, Known } from "../catalog/catalog.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Page, Source } from "../source/source.ts";

/** An identity that has to be fetched. */
export interface Candidate {
  readonly id: string;
  readonly subject: string;
  /** What the list says of it, as a version; undefined when it was named on the command line. */
  readonly listed: string | undefined;
}

export interface PlanCounts {
  examined: number;
  unchanged: number;
}

/** Which identities a run is about. All but the first are taken again though nothing changed. */
export type Selection =
  | { readonly kind: "changed" }
  /** Those the provider withheld files of: it may have granted them since. */
  | { readonly kind: "withheld" }
  /** Subjects, of which only a walk of the source can tell who they are. */
  | { readonly kind: "subjects"; readonly subjects: ReadonlySet<string> };

interface PlanParts {
  readonly source: Source;
  readonly tokens: Tokens;
  readonly catalog: Catalog;
}

/**
 * Walks the whole source and gives what is new or changed. An identity is unchanged when the list says of it what it
 * said when it was last kept: the content counts, not only its date. One page is held.
 */
export async function* planWalk(
  parts: PlanParts,
  selection: Selection,
  counts: PlanCounts,
  onUnreadable: (count: number) => void,
): AsyncGenerator<Candidate> {
  parts.catalog.beginWalk();
  for await (const page of parts.source.pages()) {
    const { candidates, met } = comparePage(page, selection, parts);
    parts.catalog.noteListed(met);
    counts.examined += page.identities.length + page.unreadable;
    if (page.unreadable > 0) onUnreadable(page.unreadable);
    counts.unchanged += page.identities.length - candidates.length;
    yield* candidates;
  }
}

function comparePage({ identities }: Page, selection: Selection, { source, tokens, catalog }: PlanParts) {
  const candidates: Candidate[] = [];
  const met: { subject: string }[] = [];
  for (const { id, updated, raw } of identities) {
    const subject = tokens.subject(source.kind, id);
    const listed = tokens.version(updated, raw);
    const known = catalog.known(subject);
    if (known !== undefined) met.push({ subject });
    if (isSelected(selection, subject, known, listed)) candidates.push({ id, subject, listed });
  }
  return { candidates, met };
}

function isSelected(selection: Selection, subject: string, known: Known | undefined, listed: string): boolean {
  if (selection.kind === "subjects") return selection.subjects.has(subject);
  return known?.listed !== listed || (selection.kind === "withheld" && known.withheld > 0);
}

/** The identities named, each once. */
export function* planNamed(
  ids: readonly string[],
  { source, tokens }: PlanParts,
  counts: PlanCounts,
): Generator<Candidate> {
  for (const id of new Set(ids)) {
    counts.examined += 1;
    yield { id, subject: tokens.subject(source.kind, id), listed: undefined };
  }
}
