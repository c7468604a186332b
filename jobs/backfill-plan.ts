import { type Estimate, estimate, estimateText } from "../src/backfill/estimate.ts";
import type { IdList } from "../src/backfill/id-list.ts";
import { type Survey, survey } from "../src/backfill/survey.ts";
import type { Catalog } from "../src/catalog/catalog.ts";
import { peekCatalog } from "../src/catalog/open-catalog.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { ActiveSourceConfig, SourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import { type Candidate, NOTES_NOTHING, type Period, type PlanParts } from "../src/export/plan.ts";
import { PROVIDERS } from "../src/provider/provider.ts";
import { handlesOf, openClientVault, openTokens, type Session } from "../src/session/client.ts";
import { noList } from "../src/session/coverage.ts";
import { type ClientFailure, eachClient, throwFailure } from "../src/session/each-client.ts";
import { eachSource, noneAsked } from "../src/session/each-source.ts";
import { openSource } from "../src/session/open-source.ts";
import type { Source } from "../src/source/source.ts";

/** How many identities to sample for the estimate of files. */
const SAMPLE = 25;

export interface Planned extends Period {
  /** Only the people of this list. */
  readonly list?: IdList | undefined;
}

/** Estimates what a backfill of each client would take. Writes nothing, and needs no lease. */
export async function planBackfill(
  session: Session,
  { list, ...period }: Planned,
  price: number | undefined,
  onFailure?: (failure: ClientFailure) => void,
): Promise<Estimate[]> {
  const planOne = async (config: ClientConfig, sourceConfig: ActiveSourceConfig): Promise<Estimate> => {
    await using opened = new AsyncDisposableStack();
    const { description } = opened.use(await openClientVault(config, session));
    const tokens = await openTokens(config, description);
    const { source } = opened.use(await openSource(config, sourceConfig, session, "low"));
    const catalog = peekCatalog(config);
    opened.defer(() => catalog?.close());
    using progress = session.console.progress(
      `${placeOf(config, sourceConfig.name)}: ${list === undefined ? "listed" : "sampled"}`,
    );
    const known = {
      subjects: {
        known: (subject: string) => catalog?.subjects.known(subject),
        knownAmong: (subjects: readonly string[]) => catalog?.subjects.knownAmong(subjects) ?? new Map(),
      },
      walk: NOTES_NOTHING,
      relationships: {
        hasDeparted: (subject: string, listed?: string) => catalog?.relationships.hasDeparted(subject, listed) ?? false,
      },
    };
    // As in a run: it says best why a key is refused.
    await source.project();
    refuseImpossible({ source, sourceConfig }, list);
    const handles = await handlesOf(config);
    const parts = { config, now: session.now, source, sourceConfig, handles, tokens, catalog: known };
    const of = await untilStopped(session.signal, async () => {
      progress.update(0);
      const about = catalog?.totals.counts().subjects ?? 0;
      const found = list
        ? await surveyOf(list, parts)
        : await survey(parts, source.pages(), period, SAMPLE, (listed) => progress.update(listed, { about }));
      const onAsked = list && ((count: number) => progress.update(count, { about: found.sample.length }));
      return estimate(found, { config, source, sourceConfig, catalog, price }, onAsked);
    });
    progress.end();
    session.console.say(estimateText(of, placeOf(config, sourceConfig.name)));
    return of;
  };
  return everySource(session, planOne, onFailure);
}

/** Stops at once on the signal, even during a request. Only for work that leaves nothing behind. */
async function untilStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work(), stopped]).finally(() => signal.removeEventListener("abort", stop));
}

/** Runs the work for every source of every client. One failure does not stop the others. */
export async function everySource<T>(
  session: Session,
  work: (config: ClientConfig, source: ActiveSourceConfig) => Promise<T>,
  onFailure: (failure: ClientFailure) => void = throwFailure,
): Promise<T[]> {
  const all = await eachClient(
    session,
    async (config) => {
      if (askedSources(config).length === 0) session.console.say(`${config.id}: nothing to do, ${noneAsked(config)}`);
      const { results, failures } = await eachSource(config, session, (source) => work(config, source));
      for (const failure of failures) onFailure(failure);
      return results;
    },
    onFailure,
  );
  return all.flat();
}

interface Known {
  readonly catalog: { readonly subjects: Pick<Catalog["subjects"], "known"> };
}

/** What a list of ids tells: each of them is asked about. */
async function surveyOf(
  list: IdList,
  { source, tokens, catalog }: Pick<PlanParts, "tokens"> & Known & { readonly source: Source },
): Promise<Survey> {
  const { ids, ...counts } = await list.survey(
    source,
    SAMPLE,
    (id) => catalog.subjects.known(tokens.subject(source.kind, id)) !== undefined,
  );
  const sample = ids.map((id): Candidate => {
    return { id, subject: tokens.subject(source.kind, id), listed: undefined, way: "ids" };
  });
  const { lines, distinct } = counts;
  return { pages: 0, listed: lines, matching: distinct, toFetch: distinct - counts.kept, sample, list: counts };
}

/** @throws HoldfastError "usage" where this source cannot do what is asked */
export function refuseImpossible(
  { source, sourceConfig }: { readonly source: Pick<Source, "can" | "idOf">; readonly sourceConfig: SourceConfig },
  list: IdList | undefined,
): void {
  const { name, identities } = PROVIDERS[sourceConfig.kind];
  if (list?.are === "references" && source.idOf === undefined)
    throw new HoldfastError("usage", `${name} cannot look up ${identities} by a reference`, {
      hint: "Give their ids with --ids.",
    });
  if (list === undefined && !source.can.list)
    throw new HoldfastError("usage", `${noList(sourceConfig.kind)}, so a backfill does not know whom to ask about`, {
      hint:
        source.idOf === undefined
          ? "Give their ids with --ids <file>, one on a line."
          : "Give their ids with --ids <file>, one on a line, or your own references with --references <file>.",
    });
}
