import type { Relationships } from "../catalog/relationships.ts";
import type { Known, Subjects } from "../catalog/subjects.ts";
import type { Met, Walks } from "../catalog/walk.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import type { RunInbox } from "../inbox/run-inbox.ts";
import type { Handles } from "../record/handles.ts";
import type { Tokens } from "../record/tokens.ts";
import { isPast } from "../retention/first-lock.ts";
import type { ListedIdentity, Page, Source } from "../source/source.ts";
import { batched, type LocateParts, located } from "./locate.ts";
import { withoutSame } from "./same-entries.ts";
import type { Way } from "./summary.ts";

/** An identity to fetch. */
export interface Candidate {
  readonly id: string;
  readonly subject: string;
  /** The version that the list implies. Undefined if the list does not say, or the command line named the identity. */
  readonly listed: string | undefined;
  /** Why it is asked about. */
  readonly way: Way;
  /** The list marks it as deleted, or this run read all of the list and it was not there. */
  readonly unlisted?: true;
}

/** Candidates of one page. */
export interface Batch {
  readonly candidates: readonly Candidate[];
  /** Where the walk continues after this page; null at the end. */
  readonly cursor: string | null;
}

export interface PlanCounts {
  examined: number;
  unchanged: number;
  past: number;
}

/** Which identities a run exports. All but `changed` and `period` export unchanged identities again. */
export type Selection =
  /** `isTurn`: also whose turn it is, whatever the list says. `isGiven`: whom the run has for another reason already. */
  | {
      readonly kind: "changed";
      readonly isTurn?: (subject: string) => boolean;
      readonly isGiven?: (subject: string) => boolean;
    }
  | ({ readonly kind: "period" } & Period)
  /** Identities with withheld files: the provider may have granted access since. */
  | { readonly kind: "withheld" }
  /** Everyone of a given list of ids. */
  | { readonly kind: "ids"; readonly pages: AsyncIterable<IdPage> }
  /** Those whom webhooks name, and no one else. */
  | { readonly kind: "inbox" }
  /** Subjects of which the vault does not know the provider id: only a walk of the source can find them. */
  | { readonly kind: "subjects"; readonly subjects: ReadonlySet<string> };

/** Some lines of a given list of ids or references. */
export interface IdPage {
  readonly ids: readonly string[];
  /** Lines that are no ids. */
  readonly malformed: number;
  /** References of which the provider has no one. */
  readonly notFound: number;
  /** Continues after these lines; null at the end. */
  readonly cursor: string | null;
}

/** Identities created in a date range, with a status. An undefined bound does not limit. */
export interface Period {
  readonly from?: Temporal.Instant | undefined;
  /** Not included. */
  readonly to?: Temporal.Instant | undefined;
  readonly statuses?: ReadonlySet<string> | undefined;
}

export interface PlanParts {
  readonly source: Pick<Source, "kind">;
  readonly sourceConfig: Pick<SourceConfig, "name">;
  readonly handles: Handles;
  readonly tokens: Tokens;
  readonly catalog: {
    readonly subjects: Pick<Subjects, "known" | "knownAmong">;
    readonly walk: Pick<Walks, "noteMet" | "noteSame">;
    readonly relationships: Pick<Relationships, "hasDeparted">;
  };
  readonly config: Pick<ClientConfig, "retention" | "vault">;
  readonly now: Clock;
}

/** For a walk that only looks, and leaves the catalog as it is: every entry is parsed. */
export const NOTES_NOTHING: PlanParts["catalog"]["walk"] = {
  noteMet: () => {},
  noteSame: () => ({ at: [], updated: undefined }),
};

/** What a walk tells of the list beside whom to export. */
export interface Told {
  /** Entries without a readable id. */
  unreadable(count: number): void;
  /** Someone who is past the retention date. */
  past?(subject: string): void;
  /** A change that the list shows, RFC 3339 UTC; of those that say the same as before only the latest of each page. */
  listed?(updated: string): void;
}

/**
 * Compares the pages of a walk with the catalog, and yields new and changed identities. An identity is unchanged if the
 * list says the same as when it was last kept; the content counts, not only the date. Holds one page in memory.
 */
export async function* planWalk(
  parts: PlanParts,
  pages: AsyncIterable<Page>,
  selection: Selection,
  counts: PlanCounts,
  tell: Told,
): AsyncGenerator<Batch> {
  for await (const whole of pages) {
    const { same, updated, ...page } = withoutSame(whole, selection, parts);
    if (updated !== undefined) tell.listed?.(updated);
    for (const { updated } of page.identities) tell.listed?.(updated);
    const listed =
      selection.kind === "period" ? page.identities.filter((one) => isWithin(selection, one)) : page.identities;
    const { candidates, met, past, given } = compare(listed, selection, parts);
    const unread = unlisted(page.unread, selection, parts);
    parts.catalog.walk.noteMet([...met, ...unread.met], parts.sourceConfig.name);
    counts.examined += same + listed.length - given + page.unread.length - unread.given + page.unreadable;
    if (page.unreadable > 0) tell.unreadable(page.unreadable);
    counts.unchanged += same + listed.length - given - candidates.length - past.length;
    counts.past += past.length;
    for (const subject of past) tell.past?.(subject);
    counts.unchanged += page.unread.length - unread.given - unread.candidates.length;
    yield { candidates: [...candidates, ...unread.candidates], cursor: whole.cursor };
  }
}

/** Identities whose list entry says too little: only fetching shows whether they are new or changed. */
function unlisted(ids: readonly string[], selection: Selection, parts: PlanParts) {
  const { source, tokens, catalog } = parts;
  const met: Met[] = [];
  const candidates: Candidate[] = [];
  let given = 0;
  for (const id of ids) {
    const subject = tokens.subject(source.kind, id);
    const known = catalog.subjects.known(subject);
    if (known !== undefined) met.push(metAs(parts, subject, id, known));
    if (isGiven(selection, subject)) given += 1;
    else if (selection.kind !== "subjects" || selection.subjects.has(subject))
      candidates.push({ id, subject, listed: undefined, way: "list" });
  }
  return { candidates, met, given };
}

export function isWithin({ from, to, statuses }: Period, { created, status }: ListedIdentity): boolean {
  if (statuses && !statuses.has(status)) return false;
  if (from === undefined && to === undefined) return true;
  const at = Temporal.Instant.from(created);
  return (
    (from === undefined || Temporal.Instant.compare(at, from) >= 0) &&
    (to === undefined || Temporal.Instant.compare(at, to) < 0)
  );
}

function compare(identities: readonly ListedIdentity[], selection: Selection, parts: PlanParts) {
  const { source, tokens, catalog, config, now } = parts;
  const candidates: Candidate[] = [];
  const met: Met[] = [];
  const past: string[] = [];
  let given = 0;
  const subjects = identities.map(({ id }) => tokens.subject(source.kind, id));
  const among = catalog.subjects.knownAmong(subjects);
  for (const [at, { id, updated, raw, deleted, bytes }] of identities.entries()) {
    const subject = subjects[at]!;
    const listed = tokens.listed(updated, raw);
    const known = among.get(subject);
    // That the list still shows who was deleted does not make them there.
    if (known !== undefined && !deleted) {
      const said = bytes && { entry: tokens.entry(bytes), listed };
      met.push({ ...metAs(parts, subject, id, known), said });
    }
    if (isGiven(selection, subject)) given += 1;
    else if (deleted) {
      // Asked once more, so that the provider itself says it.
      if (known && known.gone === null) candidates.push({ id, subject, listed, way: "list", unlisted: true });
    } else if (
      known === undefined &&
      (catalog.relationships.hasDeparted(subject, listed) || isPast(config, { updated, ended: undefined }, now()))
    )
      past.push(subject);
    else {
      const way = wayOf(selection, subject, known, listed);
      if (way) candidates.push({ id, subject, listed, way });
    }
  }
  return { candidates, met, past, given };
}

function metAs({ handles, source }: PlanParts, subject: string, id: string, known: Known): Met {
  return { subject, known, handle: () => handles.close(subject, source.kind, id) };
}

/** Whether the run has this person already, and has counted them. */
function isGiven(selection: Selection, subject: string): boolean {
  return selection.kind === "changed" && (selection.isGiven?.(subject) ?? false);
}

/** Why to ask about someone on the list; undefined if there is no reason. */
function wayOf(selection: Selection, subject: string, known: Known | undefined, listed: string): Way | undefined {
  if (selection.kind === "subjects") return selection.subjects.has(subject) ? "name" : undefined;
  if (known?.listed !== listed || (selection.kind === "withheld" && known.withheld > 0)) return "list";
  return selection.kind === "changed" && known.gone === null && selection.isTurn?.(subject) ? "turn" : undefined;
}

/** Those whom webhooks named before this run began. */
export function* planInbox(
  parts: LocateParts & { readonly inbox?: Pick<RunInbox, "named"> | undefined },
  counts: PlanCounts,
): Generator<Batch> {
  for (const batch of batched(located(parts, parts.inbox?.named() ?? []))) {
    counts.examined += batch.length;
    yield { candidates: batch.map((one) => ({ ...one, listed: undefined, way: "inbox" })), cursor: null };
  }
}

/** Everyone of whom a file is withheld, where the source cannot list them. */
export function* planWithheld(parts: LocateParts, counts: PlanCounts): Generator<Batch> {
  for (const batch of batched(located(parts, parts.catalog.roster.withheld(parts.sourceConfig.name)))) {
    counts.examined += batch.length;
    yield { candidates: batch.map((one) => ({ ...one, listed: undefined, way: "name" })), cursor: null };
  }
}

/**
 * The given subjects: those whose provider id is known first, the others by a walk of the list.
 */
export async function* planSubjects(
  parts: PlanParts & LocateParts & { readonly source: Pick<Source, "can"> },
  pages: AsyncIterable<Page>,
  subjects: ReadonlySet<string>,
  counts: PlanCounts,
  tell: Told,
): AsyncGenerator<Batch> {
  const { catalog, sourceConfig } = parts;
  const closed = [...subjects].flatMap((subject) => {
    const handle = catalog.roster.handle(sourceConfig.name, subject);
    return handle === undefined ? [] : [{ subject, handle }];
  });
  const candidates = [...located(parts, closed)].map((one) => ({ ...one, listed: undefined, way: "name" as const }));
  counts.examined += candidates.length;
  yield { candidates, cursor: null };
  const others = subjects.difference(new Set(candidates.map(({ subject }) => subject)));
  if (others.size > 0 && parts.source.can.list)
    yield* planWalk(parts, pages, { kind: "subjects", subjects: others }, counts, tell);
}

/** Everyone of a given list of ids, page by page. */
export async function* planIds(
  { source, tokens }: Pick<PlanParts, "source" | "tokens">,
  pages: AsyncIterable<IdPage>,
  counts: PlanCounts & { notFound: number },
  onUnreadable: (count: number) => void,
): AsyncGenerator<Batch> {
  for await (const { ids, malformed, notFound, cursor } of pages) {
    counts.examined += ids.length + malformed + notFound;
    counts.notFound += notFound;
    if (malformed > 0) onUnreadable(malformed);
    const candidates = ids.map((id): Candidate => {
      return { id, subject: tokens.subject(source.kind, id), listed: undefined, way: "ids" };
    });
    yield { candidates, cursor };
  }
}

/** The named identities, without duplicates. */
export function* planNamed(
  ids: readonly string[],
  { source, tokens }: Pick<PlanParts, "source" | "tokens">,
  counts: PlanCounts,
): Generator<Batch> {
  const named = [...new Set(ids)];
  counts.examined += named.length;
  const candidates = named.map((id) => ({
    id,
    subject: tokens.subject(source.kind, id),
    listed: undefined,
    way: "name" as const,
  }));
  yield { candidates, cursor: null };
}
