import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import type { Log } from "../observe/log.ts";
import type { Handles } from "../record/handles.ts";
import type { Tokens } from "../record/tokens.ts";
import { isPast } from "../retention/first-lock.ts";
import type { Page, Source } from "../source/source.ts";
import { compare } from "./comparison.ts";
import { Feed, type FeedParts } from "./feed.ts";
import { keptIn } from "./kept.ts";
import { type Candidate, NOTES_NOTHING, planSubjects, planWalk, planWithheld, type Selection } from "./plan.ts";
import { meanOf, NOT_SAMPLED, Sample } from "./sample.ts";

/** What an export would do now. Files, requests and seconds are estimates; the rest is counted. */
export interface Forecast {
  /** Identities that the source listed or the command line named. */
  readonly examined: number;
  /** Of these, named by webhooks. */
  readonly askedByInbox: number;
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Stored again on request, although nothing changed. */
  readonly again: number;
  /** The list says too little about these: only fetching shows whether they changed. */
  readonly unknown: number;
  readonly past: number;
  /** Named, but not at the source. */
  readonly gone: number;
  /** Of these, positions from 1 of those that the vault does not have either: mistyped. */
  readonly mistyped?: readonly number[];
  /** Entries of the list without a readable id. The export counts them as failed. */
  readonly unreadable: number;
  readonly toFetch: number;
  /** Identities sampled for their files, and an estimate of the files to fetch. */
  readonly sampled: number;
  readonly files: number;
  /** To the source, without retries. */
  readonly requests: number;
  /** At the configured rate: a lower bound. */
  readonly seconds: number;
}

export interface ForecastParts {
  readonly config: ClientConfig;
  readonly source: Source;
  readonly sourceConfig: SourceConfig;
  readonly handles: Handles;
  /** Whom webhooks named. Undefined if they are not received. */
  readonly inbox?: FeedParts["inbox"];
  readonly tokens: Tokens;
  readonly log: Log;
  readonly catalog: Catalog;
  readonly now: Clock;
  readonly signal: AbortSignal;
}

/** Identities in the sample. */
const SAMPLE = 25;

type Counts = {
  -readonly [K in Exclude<keyof Forecast, "sampled" | "files" | "requests" | "seconds" | "mistyped">]: number;
};
const NONE: Counts = {
  ...{
    examined: 0,
    askedByInbox: 0,
    new: 0,
    changed: 0,
    unchanged: 0,
    again: 0,
    unknown: 0,
    past: 0,
    gone: 0,
    unreadable: 0,
    toFetch: 0,
  },
};

/** Walks the source's list and compares it with the catalog. Writes nothing. Holds one page and a sample in memory. */
export async function forecastWalk(
  parts: ForecastParts,
  selection: Selection,
  onListed: (listed: number) => void,
): Promise<Forecast> {
  const { source, sourceConfig, handles, inbox, tokens, config, now, catalog, signal } = parts;
  const counts = { ...NONE };
  const sample = new Sample(SAMPLE);
  let pages = 0;
  async function* walked(): AsyncGenerator<Page> {
    for await (const page of source.pages()) {
      signal.throwIfAborted();
      pages += 1;
      yield page;
      onListed(counts.examined);
    }
  }
  // In a real walk the catalog does this.
  const walk = { ...NOTES_NOTHING, hasMet: () => true };
  const { subjects, relationships, sources, roster } = catalog;
  const compared = { subjects, relationships, sources, roster, walk };
  const planned = { source, sourceConfig, handles, inbox, tokens, config, now, log: parts.log, catalog: compared };
  const tell = {
    unreadable: (found: number): void => {
      counts.unreadable += found;
    },
  };
  using feed = selection.kind === "changed" ? new Feed(planned, now()) : undefined;
  const plan = feed
    ? feed.candidates(walked(), counts, tell)
    : selection.kind === "withheld" && !source.can.list
      ? planWithheld(planned, counts)
      : selection.kind === "subjects"
        ? planSubjects(planned, walked(), selection.subjects, counts, tell)
        : planWalk(planned, walked(), selection, counts, tell);
  for await (const { candidates } of plan) {
    for (const candidate of candidates) {
      counts[kindOf(candidate, catalog)] += 1;
      counts.toFetch += 1;
      if (candidate.way === "inbox") counts.askedByInbox += 1;
      sample.add(candidate);
    }
  }
  return estimated(counts, sample, pages + counts.toFetch, parts);
}

function kindOf({ subject, listed }: Candidate, catalog: Catalog): "new" | "changed" | "again" | "unknown" {
  const known = catalog.subjects.known(subject);
  if (listed === undefined) return "unknown";
  if (known === undefined) return "new";
  return known.listed === listed ? "again" : "changed";
}

/** Asks the source for each named identity, as the export does, and compares it with the catalog. Writes nothing. */
export async function forecastNamed(
  parts: ForecastParts,
  identities: readonly string[],
  again: boolean,
  onAsked: (asked: number) => void,
): Promise<Forecast> {
  const { source, tokens, config, now, catalog, signal } = parts;
  const counts = { ...NONE };
  const sample = new Sample(SAMPLE);
  const mistyped: number[] = [];
  for (const id of new Set(identities)) {
    signal.throwIfAborted();
    counts.examined += 1;
    onAsked(counts.examined);
    const subject = tokens.subject(source.kind, id);
    const kept = keptIn(catalog, subject);
    const full = config.collect === "full";
    const dossier = await source.dossier(id, { full }).catch((error: unknown) => {
      if (hasCode(error, "source-missing")) return undefined;
      throw error;
    });
    if (dossier === undefined) {
      counts.gone += 1;
      if (kept.known === undefined) mistyped.push(counts.examined);
      continue;
    }
    const { updated } = dossier.identity;
    const { isNewest, wasPurged } = compare(dossier, subject, kept, tokens);
    if (isNewest && !again) counts.unchanged += 1;
    else if (wasPurged || isPast(config, { updated, ended: kept.ended }, now())) counts.past += 1;
    else {
      counts[isNewest ? "again" : kept.known ? "changed" : "new"] += 1;
      counts.toFetch += 1;
      sample.add({ id, subject, listed: undefined, way: "name" });
    }
  }
  const found = await estimated(counts, sample, counts.examined, parts);
  return mistyped.length === 0 ? found : { ...found, mistyped };
}

/** @param asked requests for pages and identities so far */
async function estimated(counts: Counts, sample: Sample, asked: number, parts: ForecastParts): Promise<Forecast> {
  const { config, source, sourceConfig } = parts;
  const mean = config.collect === "full" ? await meanOf(sample.taken, source) : NOT_SAMPLED;
  // Most files of a changed identity are kept already.
  const files = Math.round((counts.toFetch - counts.changed) * mean.files);
  // One request asks for the project. A folder has no key, and is asked by none.
  const requests =
    sourceConfig.apiKey === undefined ? 0 : 1 + asked + Math.round(counts.toFetch * mean.resources) + files;
  const { count, per } = sourceConfig.rate;
  return { ...counts, sampled: mean.sampled, files, requests, seconds: (requests * per) / count / 1000 };
}
