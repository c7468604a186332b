import type { ClientConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import { placeOf } from "../config/sources.ts";
import { firstThrown, type HoldfastError, hasCode, ownError } from "../core/error.ts";
import { PROVIDERS, type ProviderKind } from "../provider/provider.ts";
import { type Coverage, coverageOf, type Lacking, type ListedPage } from "../report/coverage.ts";
import type { WaitingDrops } from "../source/source.ts";
import { openTokens, type Session } from "./client.ts";
import type { Reading } from "./open-reading.ts";
import { openSource } from "./open-source.ts";

/** A source whose list could not be read. */
export interface NotAsked {
  readonly source: string;
  readonly why: string;
  /** Undefined if it has no list. */
  readonly error: HoldfastError | undefined;
}

/** The errors of a provider: it cannot be reached, or refuses to answer. */
const OF_PROVIDER = [
  ...(["source-key", "source-denied", "source-missing", "source-rejected", "source-unavailable"] as const),
  "source-response",
] as const;

/**
 * Compares sources with the vault of an open client. A source that does not answer is left out. `waiting` is that of the last.
 * @param onLacking receives the provider id of each identity that the vault lacks something of, which is personal: only for a terminal
 */
export async function coverageNow(
  config: ClientConfig,
  sources: readonly ActiveSourceConfig[],
  session: Session,
  { catalog, description }: Pick<Reading, "catalog" | "description">,
  onLacking: (subject: string, id: string, kind: Lacking) => void = () => {},
): Promise<{
  readonly coverage: Coverage;
  readonly notAsked: readonly NotAsked[];
  readonly waiting: WaitingDrops | undefined;
}> {
  const tokens = await openTokens(config, description);
  const about = catalog.totals.counts().subjects;
  const notAsked: NotAsked[] = [];
  const answered = new Set<string>();
  /** Those of them where someone who is missing was deleted. */
  const deleting = new Set<string>();
  let waiting: WaitingDrops | undefined;
  // The identities of one page.
  let ids = new Map<string, string>();
  /** Returns whether the source has a list. */
  async function* pagesOf(sourceConfig: ActiveSourceConfig): AsyncGenerator<ListedPage, boolean> {
    await using opened = await openSource(config, sourceConfig, session, "low");
    const { source } = opened;
    if (!source.can.list) return false;
    using progress = session.console.progress(`${placeOf(config, sourceConfig.name)}: listed`);
    let walked = 0;
    // As in a run: it says best why a key is refused.
    await source.project();
    for await (const { identities: all, unread, unreadable } of source.pages()) {
      const identities = all.filter(({ deleted }) => !deleted);
      session.signal.throwIfAborted();
      ids = new Map([...identities.map(({ id }) => id), ...unread].map((id) => [tokens.subject(source.kind, id), id]));
      yield {
        unreadable,
        unread: unread.map((id) => tokens.subject(source.kind, id)),
        identities: identities.map(({ id, updated, raw }) => {
          return { subject: tokens.subject(source.kind, id), listed: tokens.listed(updated, raw), updated };
        }),
      };
      walked += identities.length + unread.length;
      progress.update(walked, { about });
    }
    if (source.can.deletes !== false) deleting.add(sourceConfig.name);
    waiting = source.waiting;
    return true;
  }
  async function* pages(): AsyncGenerator<ListedPage> {
    for (const source of sources) {
      try {
        if (yield* pagesOf(source)) answered.add(source.name);
        else notAsked.push({ source: source.name, why: noList(source.kind), error: undefined });
      } catch (thrown) {
        const error = ownError(firstThrown(thrown));
        if (!error || !hasCode(error, ...OF_PROVIDER)) throw thrown;
        notAsked.push({ source: source.name, why: error.message, error });
      }
    }
  }
  const coverage = await coverageOf(
    catalog,
    config,
    pages(),
    session.now(),
    (subject, kind) => onLacking(subject, ids.get(subject)!, kind),
    (subject, project) => wasAsked(catalog, subject, project, config, answered),
    (subject) => wasAsked(catalog, subject, undefined, config, deleting),
  );
  return { coverage, notAsked, waiting };
}

/** Says why a source cannot be compared with the vault. */
export function noList(kind: ProviderKind): string {
  return `${PROVIDERS[kind].name} cannot list its ${PROVIDERS[kind].identities}`;
}

/** Whether one of these sources showed a subject last. Of earlier versions' records only the provider is known. */
function wasAsked(
  catalog: Reading["catalog"],
  subject: string,
  failedAt: string | null | undefined,
  { sources }: ClientConfig,
  answered: ReadonlySet<string>,
): boolean {
  const project = catalog.subjects.known(subject)?.project ?? failedAt;
  if (project) return [...answered].some((name) => catalog.sources.isOf(name, project));
  return sources.filter(({ kind }) => kind === "passbase").every(({ name }) => answered.has(name));
}
