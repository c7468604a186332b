import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "../catalog/catalog.ts";
import { peekCatalog } from "../catalog/open-catalog.ts";
import type { RunTold } from "../catalog/runs.ts";
import { uncertified } from "../certificate/uncertified.ts";
import type { ClientConfig } from "../config/config.ts";
import { webhookSources } from "../config/sources.ts";
import { ownError } from "../core/error.ts";
import { exitCode } from "../core/exit-code.ts";
import { peekInbox } from "../inbox/waiting.ts";
import { fallingDue } from "../retention/locks-falling-due.ts";
import { purges } from "../retention/purge-plan.ts";
import { type LastExport, readLastExport, unreadableLastExport } from "../state/last-export.ts";
import { type LastVerify, readLastVerify, unreadableLastVerify } from "../state/last-verify.ts";
import type { Session } from "./client.ts";
import { openReading } from "./open-reading.ts";

/** The status of one client. Contains nothing personal. */
export interface ClientStatus extends Known {
  readonly client: string;
  readonly vault: string;
  /** Why the vault could not be checked; null where its log was read. */
  readonly notChecked: { readonly code: string; readonly error: string } | null;
  /** When a run over all identities last succeeded, and when the daemon's next one is due. */
  readonly lastSuccess: string | null;
  readonly nextRun: string | null;
  /** What verify found last on this machine. */
  readonly verified: LastVerify | null;
  /** Paths of the state files behind the two above, if a file exists but is unreadable or damaged. */
  readonly unreadable: { readonly lastRun: string | null; readonly verified: string | null };
  /** Of each source whose webhooks are received; null if the inbox could not be read. */
  readonly webhooks: readonly WebhooksStatus[] | null;
  /** Purges that stopped on this machine and have no certificate. */
  readonly uncertified: readonly string[];
  /** The client's own directory on this machine. */
  readonly state: { readonly path: string; readonly bytes: number };
}

/** What the log says; null if neither the vault nor a catalog on this machine could be read. */
interface Known {
  readonly log: LogStatus | null;
}

export interface LogStatus {
  readonly entries: number;
  /**
   * The last run; one that has not ended is under way, or was killed. Where several sources are asked, the least good of
   * their last runs.
   */
  readonly lastRun: RunTold | null;
  /** In the config's order. A source that is retired is not asked. */
  readonly sources: readonly SourceStatus[];
  readonly kept: { readonly people: number; readonly records: number; readonly files: number; readonly bytes: number };
  /** People whose newest version lacks files that the provider withheld, and how many files these are. */
  readonly withheld: { readonly people: number; readonly files: number };
  readonly holds: { readonly cases: number; readonly people: number };
  /** People with objects past their retention date: a purge can delete them, or a hold or a lock keeps them. */
  readonly past: { readonly purge: number; readonly kept: number };
  /** People with a lock that ends within so many days, though it must be kept longer. */
  readonly locksDue: { readonly "7d": number; readonly "30d": number };
}

/** What webhooks named and no run has settled. */
export interface WebhooksStatus {
  readonly source: string;
  readonly people: number;
  readonly events: number;
  /** When the oldest of these events came, and when the last verified event did. */
  readonly oldest: string | null;
  readonly last: string | null;
}

export interface SourceStatus {
  readonly name: string;
  readonly kind: string;
  readonly retired: boolean;
  readonly lastRun: RunTold | null;
}

/** Reads the vault's log; if that fails, this machine's own catalog. Changes nothing. */
export async function clientStatus(config: ClientConfig, session: Session): Promise<ClientStatus> {
  const { success, due }: LastExport = readLastExport(config.state);
  const now = session.now();
  const { log, notChecked } = await logStatus(config, session, now);
  return {
    client: config.id,
    vault: config.vault.url,
    notChecked,
    log,
    lastSuccess: success ?? null,
    nextRun: due ?? null,
    verified: readLastVerify(config.state) ?? null,
    unreadable: {
      lastRun: unreadableLastExport(config.state) ?? null,
      verified: unreadableLastVerify(config.state) ?? null,
    },
    webhooks: webhooksOf(config),
    uncertified: uncertified(config.state),
    state: { path: config.state, bytes: bytesIn(config.state) },
  };
}

/** Null if the inbox could not be read. */
export function webhooksOf(config: ClientConfig): WebhooksStatus[] | null {
  const names = webhookSources(config).map(({ name }) => name);
  if (names.length === 0) return [];
  try {
    return Array.from(peekInbox(config.state, names), ([source, { people, count, oldest = null, last = null }]) => {
      return { source, people, events: count, oldest, last };
    });
  } catch {
    return null;
  }
}

async function logStatus(
  config: ClientConfig,
  session: Session,
  now: Temporal.Instant,
): Promise<Pick<ClientStatus, "log" | "notChecked">> {
  try {
    await using reading = await openReading(config, session, true);
    return { log: await knownOf(reading.catalog, config, session, now), notChecked: null };
  } catch (error) {
    // Damage, a wrong config and an interrupt are errors, not "could not check".
    const own = ownError(error);
    if (own === undefined || own.code === "internal" || exitCode(own) !== 1) throw error;
    const catalog = peekCatalog(config);
    try {
      const log = catalog ? await knownOf(catalog, config, session, now) : null;
      return { log, notChecked: { code: own.code, error: own.message } };
    } finally {
      catalog?.close();
    }
  }
}

async function knownOf(
  catalog: Catalog,
  { id, retention, sources }: ClientConfig,
  { console }: Session,
  now: Temporal.Instant,
): Promise<LogStatus> {
  const { runs } = catalog;
  const told = sources.map(({ name, kind, retired }) => ({ name, kind, retired, lastRun: runs.lastOf(name) ?? null }));
  const lasts = told.flatMap(({ retired, lastRun }) => (retired || lastRun === null ? [] : [lastRun]));
  const { subjects, versions, files, bytes } = catalog.totals.counts();
  using progress = console.progress(`${id}: past its date`);
  const past = { purge: 0, kept: 0 };
  for (const { kept } of purges(catalog, retention, now)) {
    past[kept ? "kept" : "purge"] += 1;
    progress.update(past.purge + past.kept, subjects);
  }
  const within = (days: number) => fallingDue(catalog, retention, now.add({ hours: 24 * days }), now);
  return {
    entries: catalog.size,
    lastRun: (sources.length > 1 && leastGood(lasts)) || (runs.last() ?? null),
    sources: told,
    kept: { people: subjects, records: versions, files, bytes },
    withheld: catalog.totals.withheld(),
    holds: { cases: catalog.holds.cases().length, people: catalog.holds.subjects().length },
    past,
    locksDue: { "7d": await within(7), "30d": await within(30) },
  };
}

const OUTCOMES = ["failed", null, "interrupted", "partial", "done"];

function leastGood(runs: readonly RunTold[]): RunTold | undefined {
  return runs.toSorted((one, other) => OUTCOMES.indexOf(one.outcome) - OUTCOMES.indexOf(other.outcome))[0];
}

/** The size of all files in a directory. Files that disappear meanwhile are not counted. */
function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => lstatSync(join(folder, name), { throwIfNoEntry: false }))
      .reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0);
  } catch {
    return 0;
  }
}
