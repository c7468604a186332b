import { Option } from "commander";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { askedOf } from "../src/config/named-identity.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError, hasCode } from "../src/core/error.ts";
import { runId } from "../src/core/run-id.ts";
import { lookUpNamed } from "../src/export/named.ts";
import type { Selection } from "../src/export/plan.ts";
import { runExport } from "../src/export/run.ts";
import type { HeldVault } from "../src/held/held-vault.ts";
import { errorFields } from "../src/observe/log.ts";
import type { WorkAtOnce } from "../src/session/at-once.ts";
import type { Session } from "../src/session/client.ts";
import { runOnSchedule } from "../src/session/daemon.ts";
import { type DryRun, dryRun } from "../src/session/dry-run.ts";
import { type ClientFailure, eachClient, throwFailure } from "../src/session/each-client.ts";
import { eachSource, noneAsked, type SourceRuns } from "../src/session/each-source.ts";
import { NamedExport } from "../src/session/export-named.ts";
import {
  type ExportSummary,
  isNamed,
  locksOnly,
  namedText,
  noSuchIdentity,
  refuseUnfinished,
  summaryText,
} from "../src/session/export-summary.ts";
import { openExporting } from "../src/session/open-exporting.ts";
import { openLog } from "../src/session/open-log.ts";
import { onHangup, type Take } from "../src/session/reload.ts";
import { extendHeld, locksText } from "../src/session/retention-work.ts";
import type { Work } from "../src/session/schedule.ts";
import { VERSION } from "../src/session/version.ts";
import { type Ended, observerOf, pushed, watched } from "../src/session/watch.ts";

interface ExportFlags {
  readonly identity?: string[];
  readonly subject?: string[];
  readonly again?: boolean;
  readonly withheld?: boolean;
  readonly schedule?: boolean;
  readonly dryRun?: boolean;
}

export const exportCommand = withSource(
  command("export", "export new and changed identities of every client", [
    "holdfast export",
    "holdfast export --client acme-bank --identity 5f1c… --identity 77ab…",
    "holdfast export --subject 9c4f…     what verify found missing, if the provider still has it",
    "holdfast export --dry-run          show what it would fetch; writes nothing",
    "holdfast export --schedule          run as a daemon on the config's schedule; SIGHUP reloads the config",
  ]),
)
  .addOption(
    new Option(
      "--identity <id>",
      "only this identity, by the provider's id, or <source>:<id> if the client has several sources; repeatable",
    ).argParser((id: string, ids: string[] = []) => [...ids, id]),
  )
  .addOption(
    new Option(
      "--subject <token>",
      "store this subject again, by the token that verify shows; walks the source; repeatable",
    )
      .argParser((token: string, tokens: string[] = []) => [...tokens, token])
      .conflicts("identity"),
  )
  .addOption(
    new Option("--again", "with --identity: store it again even if nothing changed").conflicts(["subject", "withheld"]),
  )
  .addOption(
    new Option(
      "--withheld",
      "ask again for withheld files, and store again who gets one; exits with 3 while some are still withheld",
    ).conflicts(["identity", "subject"]),
  )
  .addOption(
    new Option("--schedule", "keep running, and export on the config's cron schedule").conflicts([
      "identity",
      "subject",
      "withheld",
    ]),
  )
  .addOption(
    new Option(
      "--dry-run",
      "only show what is new or changed, and about how many requests it takes; writes nothing to vault or log, takes no lease",
    ).conflicts("schedule"),
  )
  .action((options: CommonOptions & ExportFlags) =>
    run(options, async (session, config) => {
      if (options.schedule) {
        let interrupted = false;
        const scheduled: Work = async (due, onFailure) => {
          const summaries = await exportClients(due, {}, onFailure);
          interrupted ||= summaries.some(({ outcome }) => outcome === "interrupted");
        };
        const named = new NamedExport();
        const atOnce: WorkAtOnce = async (of, due, onWanted) => {
          const summary = await named.run(of, due, onWanted);
          if (summary) session.console.say(namedText(summary, placeOf(of.client, summary.source)));
          interrupted ||= session.signal.aborted && summary?.outcome === "interrupted";
          return summary;
        };
        const reload = (take: Take) => onHangup(session, config.file, options, take);
        await runOnSchedule(session, config, { scheduled, atOnce }, reload);
        if (interrupted) throw new HoldfastError("interrupted", "interrupted; the next run continues from here");
        return;
      }
      const asked = { ...options, identities: options.identity, subjects: options.subject };
      if (options.dryRun) {
        await tellClients(session, "export", (onFailure) => dryRunClients(session, asked, onFailure), {
          name: "plan",
          refuse: refuseMistyped,
        });
        return;
      }
      await tellClients(session, "export", (onFailure) => exportClients(session, asked, onFailure), {
        refuse: (summaries) => refuseUnfinished(summaries, asked),
      });
    }),
  );

export interface ExportOptions {
  /** Provider ids. Undefined: everything new or changed. */
  readonly identities?: readonly string[] | undefined;
  /** Store the named identities again even if nothing changed. */
  readonly again?: boolean | undefined;
  /** Subjects to store again, by the tokens that verify shows. */
  readonly subjects?: readonly string[] | undefined;
  /** Ask again for withheld files, and store the identities again of which one arrives. */
  readonly withheld?: boolean | undefined;
}

/** Exports every client's new and changed identities, source by source. One failure does not stop the others. */
export async function exportClients(
  session: Session,
  options: ExportOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ExportSummary[]> {
  refuseUnclear(session, options);
  const tell = onFailure ?? throwFailure;
  const done = await eachClient(
    session,
    async (config) => {
      const { runs, failures, lockFailure } = await exportWatched(config, session, options);
      for (const summary of runs) session.console.say(summaryText(summary, options, placeOf(config, summary.source)));
      for (const failure of failures) tell(failure);
      if (lockFailure !== undefined) tell({ client: config.id, error: lockFailure });
      return runs;
    },
    tell,
  );
  return done.flat();
}

/** Shows what an export of each client would do now. Writes nothing, and can run during an export. */
async function dryRunClients(
  session: Session,
  options: ExportOptions,
  onFailure: (failure: ClientFailure) => void,
): Promise<DryRun[]> {
  refuseUnclear(session, options);
  const { identities, again = false } = options;
  const plans = await eachClient(
    session,
    async (config) => {
      const { only, idsOf } = askedOf(config, identities);
      if (askedSources(config).length === 0) session.console.say(`${config.id}: nothing to ask, ${noneAsked(config)}`);
      const { results, failures } = await eachSource({ ...config, only }, session, (source) =>
        dryRun(config, source, session, { identities: idsOf(source.name), again, selection: selectionOf(options) }),
      );
      for (const failure of failures) onFailure(failure);
      return results;
    },
    onFailure,
  );
  return plans.flat();
}

/** As the export itself does. */
function refuseMistyped(plans: readonly DryRun[]): void {
  for (const { mistyped, examined } of plans) {
    if (mistyped) throw noSuchIdentity(mistyped, examined - mistyped.length, "would be exported");
  }
}

function refuseUnclear({ clients }: Session, options: ExportOptions): void {
  if ((options.identities || options.subjects) && clients.length > 1) {
    throw new HoldfastError("usage", "--identity and --subject are about one client, but the config has several", {
      hint: "Add --client <id>.",
    });
  }
  if (options.again && !options.identities) {
    throw new HoldfastError("usage", "--again needs --identity", {
      hint: "Add --identity <id>, or use --subject.",
    });
  }
  const [client] = clients;
  if (options.subjects && client && askedSources(client).length === 0) {
    throw new HoldfastError("usage", `no one can be stored again: ${client.id} asks no source, ${noneAsked(client)}`, {
      hint: "Remove `retired: true` in the config, or leave out --source.",
    });
  }
  for (const subject of options.subjects ?? []) {
    if (/^[0-9a-f]{32}$/.test(subject)) continue;
    throw new HoldfastError("usage", "--subject takes 32 hexadecimal digits", {
      hint: "It is the long part of the key that verify shows: records/<2 digits>/<subject>/….",
    });
  }
}

/** What came of one client's export. */
interface ClientRuns extends Ended {
  readonly runs: readonly ExportSummary[];
}

/** An export of named people is not a nightly run: it sends no notifications. */
function exportWatched(config: ClientConfig, session: Session, options: ExportOptions): Promise<ClientRuns> {
  if (isNamed(options) || options.withheld) return exportClient(config, session, options);
  return pushed(config, session, "export", (own) =>
    watched(config, own, "export", (onBegun) => exportClient(config, own, options, onBegun)),
  );
}

async function exportClient(
  config: ClientConfig,
  session: Session,
  options: ExportOptions,
  onBegun: () => void = () => {},
): Promise<ClientRuns> {
  const { identities } = options;
  const { only, idsOf, numbersOf } = askedOf(config, identities);
  await using held = await openLog(config, session, { job: "export" });
  onBegun();
  // A run for named people fetches them at once and leaves the locks to the nightly run.
  const done = identities
    ? runsOf(
        await eachSource({ ...config, only }, session, async (source) =>
          numbered(
            await exportHeld(held, source, session, { ...options, identities: idsOf(source.name) }),
            numbersOf(source.name),
          ),
        ),
      )
    : await exportNightly(held, session, options);
  if (done.runs.length > 0) await held.stamp();
  return done;
}

/** The unknown ids by their place on the command line. */
function numbered(summary: ExportSummary, numbers: readonly number[]): ExportSummary {
  const { unknown } = summary;
  return unknown === undefined ? summary : { ...summary, unknown: unknown.map((at) => numbers[at - 1] ?? at) };
}

const runsOf = ({ results, failures }: SourceRuns<ExportSummary>): ClientRuns => ({ runs: results, failures });

async function exportNightly(held: HeldVault, session: Session, options: ExportOptions): Promise<ClientRuns> {
  const { config, now, retries } = held;
  const begun = performance.now();
  const run = runId(now());
  sayNone(config, session);
  // Before any request to a provider: kept copies must stay locked even if it fails.
  const first = await extended(held, session, run);
  const [firstSource] = askedSources(config);
  const { results, failures } = await eachSource(config, session, (source) =>
    exportHeld(held, source, session, options, source === firstSource ? run : undefined),
  );
  // Again: a person under a legal hold may have a new version, and more locks may be due after a long run.
  const then = session.signal.aborted ? {} : await extended(held, session, run);
  const { locks, lockFailure } = addLocks(first, then);
  const runs = firstSource
    ? results
    : [locksOnly({ client: config.id, run, retries: retries(), seconds: (performance.now() - begun) / 1000 })];
  const last = runs.at(-1);
  return {
    // The locks are the client's: they are told once.
    runs: last && locks ? [...runs.slice(0, -1), { ...last, locks }] : runs,
    failures,
    locks,
    lockFailure,
  };
}

/** Says so if no source is asked. */
function sayNone(config: ClientConfig, { console }: Session): void {
  if (askedSources(config).length === 0)
    console.say(`${config.id}: ${noneAsked(config)}, so this run only extends locks`);
}

async function exportHeld(
  held: HeldVault,
  sourceConfig: ActiveSourceConfig,
  session: Session,
  options: ExportOptions,
  run?: string,
): Promise<ExportSummary> {
  const { console } = session;
  const { id } = held.config;
  const always = options.again || options.subjects !== undefined;
  const again = always ? "always" : options.withheld ? "granted" : false;
  await using exporting = await openExporting(held, sourceConfig, session, { priority: "high", again });
  const { identities } = options;
  const named = identities && (await lookUpNamed(exporting, identities));
  if (named?.known.length === 0) throw noSuchIdentity(named.unknown, 0);
  if (named && named.gone > 0) {
    console.log.warn("the provider no longer has this identity; the copy in the vault stays", {
      client: id,
      count: named.gone,
    });
  }
  const summary = await runExport(exporting, {
    job: "export",
    run,
    version: VERSION,
    identities: named?.known,
    selection: selectionOf(options),
    progress: console.progress(`${placeOf(held.config, sourceConfig.name)}: identities`),
    observer: observerOf(exporting, session),
  });
  const told = { ...summary, source: sourceConfig.name };
  return named === undefined || named.unknown.length === 0 ? told : { ...told, unknown: named.unknown };
}

type Locks = Pick<Ended, "locks" | "lockFailure">;

/** Extends the locks that are due, and reports it at once. A failure is logged and returned: it must not stop the export. */
async function extended(held: HeldVault, session: Session, run: string): Promise<Locks> {
  const { console, signal } = session;
  const client = held.config.id;
  try {
    const locks = await extendHeld(held, session, run);
    if (locks.objects + locks.pieces + locks.failed > 0) console.say(`${client}: ${locksText(locks)}`);
    return { locks };
  } catch (error) {
    // The export itself reports an interruption.
    if (signal.aborted) return {};
    if (hasCode(error, "busy")) throw error;
    console.log.error("locks not extended", { client, run, ...errorFields(error) });
    return { lockFailure: error };
  }
}

/** The total of both attempts; failures are those of the second. */
function addLocks(first: Locks, then: Locks): Locks {
  if (then.lockFailure) return then;
  if (!then.locks) return first;
  if (!first.locks) return then;
  const { subjects, objects, pieces } = first.locks;
  return {
    locks: {
      subjects: subjects + then.locks.subjects,
      objects: objects + then.locks.objects,
      pieces: pieces + then.locks.pieces,
      failed: then.locks.failed,
    },
  };
}

function selectionOf({ subjects, withheld }: ExportOptions): Selection {
  if (subjects) return { kind: "subjects", subjects: new Set(subjects) };
  return { kind: withheld ? "withheld" : "changed" };
}
