import type { Catalog } from "../catalog/catalog.ts";
import { SubjectSet } from "../catalog/subject-set.ts";
import type { ClientConfig } from "../config/config.ts";
import { plural, verifications } from "../observe/format.ts";
import { isPast } from "../retention/first-lock.ts";

/** Subjects of one kind: how many, and the first of them. */
export interface SubjectCount {
  readonly count: number;
  readonly subjects: readonly string[];
}

/** The source against the vault. Subjects are tokens; who they are only the source and the sealed records tell. */
export interface Coverage {
  /** Identities that the source lists, and entries of which not even the id can be read. Null where it was not asked. */
  readonly source: { readonly listed: number; readonly unreadable: number } | null;
  readonly vault: {
    readonly subjects: number;
    readonly versions: number;
    readonly files: number;
    readonly bytes: number;
  };
  /** Listed and never exported, and listed otherwise than they were exported last. */
  readonly missing: SubjectCount;
  readonly changed: SubjectCount;
  /** Whose last attempt failed, by what. */
  readonly failed: SubjectCount & { readonly codes: Readonly<Record<string, number>> };
  /** Of whose newest version the provider withheld files, and how many files these are. */
  readonly withheld: SubjectCount & { readonly files: number };
  /** Kept, and not at the source any more. */
  readonly gone: SubjectCount;
  /** Listed, and not to be kept: purged at the end of their retention, or older than the law asks. */
  readonly past: SubjectCount;
  /** Of whom all was purged, listed or not. */
  readonly purged: number;
}

/** `33 files of 27 people are missing: the provider withheld them` */
export function withheldText({ files, count }: Pick<Coverage["withheld"], "files" | "count">): string {
  const [are, them] = files === 1 ? ["is", "it"] : ["are", "them"];
  return `${plural(files, "file")} of ${verifications(count)} ${are} missing: the provider withheld ${them}`;
}

/** What the source says of one identity, as a subject and a version. */
export interface ListedSubject {
  readonly subject: string;
  readonly listed: string;
  readonly updated: string;
}

export interface ListedPage {
  readonly identities: readonly ListedSubject[];
  /** Subjects whose entry in the list cannot be read. */
  readonly unread: readonly string[];
  readonly unreadable: number;
}

/** Subjects of one kind that are named; beyond them only the number grows. */
const NAMED = 10_000;

/** Whose provider id `reconcile --show-ids` shows: at the source, and not in the vault as they are there. */
export type Lacking = "missing" | "changed" | "failed" | "withheld";

/**
 * Holds what the source lists against the catalog, both ways. One page is held, and what it met on a disk.
 * @param pages null where the source cannot be asked: then what the log says of the last run stands for it
 * @param onLacking told of each that is lacking something, while its page is held
 * @param wasAsked whether the pages are of this subject's source, whose project the log may name; asked after the last page
 * @param showsGone whether that is a source where someone who is missing was deleted
 */
export async function coverageOf(
  catalog: Catalog,
  config: Pick<ClientConfig, "retention" | "vault">,
  pages: AsyncIterable<ListedPage> | null,
  now: Temporal.Instant,
  onLacking: (subject: string, kind: Lacking) => void = () => {},
  wasAsked: (subject: string, project?: string | null) => boolean = () => true,
  showsGone: (subject: string) => boolean = wasAsked,
): Promise<Coverage> {
  const addMissing = (subject: string): void => {
    missing!.add(subject);
    onLacking(subject, "missing");
  };
  const addChanged = (subject: string): void => {
    changed!.add(subject);
    onLacking(subject, "changed");
  };
  /** What the catalog knows, of someone on the page that is held. */
  const tellKnown = (subject: string): void => {
    if (failures.has(subject)) onLacking(subject, "failed");
    if ((catalog.subjects.known(subject)?.withheld ?? 0) > 0) onLacking(subject, "withheld");
  };
  const [missing, changed, withheld, gone, past, failed] = Array.from({ length: 6 }, () => new Some());
  const met = new SubjectSet();
  const failures = new Map(catalog.runs.failures().map((of) => [of.subject, of]));
  try {
    let listed = 0;
    let unreadable = 0;
    for await (const page of pages ?? []) {
      listed += page.identities.length;
      unreadable += page.unreadable;
      met.add(page.identities.map(({ subject }) => subject));
      listed += page.unread.length;
      met.add(page.unread);
      for (const subject of page.unread) {
        tellKnown(subject);
        if (!catalog.subjects.known(subject) && !catalog.relationships.hasDeparted(subject)) addMissing(subject);
        else if (failures.has(subject)) addChanged(subject);
      }
      for (const { subject, listed: version, updated } of page.identities) {
        tellKnown(subject);
        const known = catalog.subjects.known(subject);
        if (known?.listed === version) continue;
        const ended = catalog.relationships.ended(subject);
        if ((!known && catalog.relationships.hasDeparted(subject, version)) || isPast(config, { updated, ended }, now))
          past!.add(subject);
        else if (known) addChanged(subject);
        else addMissing(subject);
      }
    }
    let withheldFiles = 0;
    for (const { subject, ...known } of catalog.subjects.all()) {
      withheldFiles += known.withheld;
      if (known.withheld > 0) withheld!.add(subject);
      const wasListed = pages !== null && showsGone(subject);
      if (wasListed ? !met.has(subject) : known.gone) gone!.add(subject);
    }
    const codes: Record<string, number> = {};
    for (const { subject, code, project } of failures.values()) {
      // Of someone whom the source has no more there is nothing to try again.
      if (pages !== null && !met.has(subject) && wasAsked(subject, project)) continue;
      failed!.add(subject);
      codes[code] = (codes[code] ?? 0) + 1;
    }
    return {
      source: pages === null ? null : { listed, unreadable },
      vault: { ...catalog.totals.counts() },
      missing: missing!.told,
      changed: changed!.told,
      withheld: { ...withheld!.told, files: withheldFiles },
      gone: gone!.told,
      past: past!.told,
      failed: { ...failed!.told, codes },
      purged: catalog.relationships.departedCount(),
    };
  } finally {
    met.close();
  }
}

class Some {
  #count = 0;
  readonly #subjects: string[] = [];

  add(subject: string): void {
    this.#count += 1;
    if (this.#subjects.length < NAMED) this.#subjects.push(subject);
  }

  get told(): SubjectCount {
    return { count: this.#count, subjects: this.#subjects };
  }
}
