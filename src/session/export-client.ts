import type { ClientConfig } from "../config/config.ts";
import { askedOf } from "../config/named-identity.ts";
import { askedSources } from "../config/sources.ts";
import { runId } from "../core/run-id.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { toSecond } from "../retention/due.ts";
import type { Session } from "./client.ts";
import { eachSource, noneAsked, type SourceRuns } from "./each-source.ts";
import { addLocks, extendDue } from "./export-locks.ts";
import type { ExportOptions } from "./export-options.ts";
import { exportSource } from "./export-source.ts";
import { type ExportSummary, isNamed, locksOnly } from "./export-summary.ts";
import { openLog } from "./open-log.ts";
import { type Ended, withNotifications, withPushedMetrics } from "./watch.ts";

const DAY = Temporal.Duration.from({ hours: 24 }).total("milliseconds");

/** What came of one client's export. */
export interface ClientRuns extends Ended {
  readonly runs: readonly ExportSummary[];
}

/** An export of named people is not a nightly run: it sends no notifications. */
export function exportClient(config: ClientConfig, session: Session, options: ExportOptions): Promise<ClientRuns> {
  if (isNamed(options) || options.withheld) return exportSources(config, session, options);
  return withPushedMetrics(config, session, "export", (own) =>
    withNotifications(config, own, "export", (onBegun) => exportSources(config, own, options, onBegun)),
  );
}

async function exportSources(
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
            await exportSource(held, source, session, { ...options, identities: idsOf(source.name) }),
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
  const first = await extendDue(held, session, run);
  const hadLocks = held.catalog.locks.anyAfter(toSecond(now()));
  const [firstSource] = askedSources(config);
  const { results, failures } = await eachSource(config, session, (source) =>
    exportSource(held, source, session, options, source === firstSource ? run : undefined),
  );
  // Again: a person under a legal hold may have a new version, and more locks may be due after a long run.
  // The log's own parts wait for the next run, unless looking at them failed, or was not needed while no record was locked.
  const ofLog = first.locks === undefined || !(hadLocks || isNew(held));
  const then = session.signal.aborted ? {} : await extendDue(held, session, run, { ofLog });
  const { locks, lockFailure } = addLocks(first, then);
  // The first rules, if no run wrote them with what it did. Should this fail, the next run does it, from the journal.
  await held.writer.flush().catch(() => {});
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

/** Whether the vault was made within a day, so that what `init` wrote is locked for long. Its description is untrusted. */
function isNew({ description, now }: HeldVault): boolean {
  const made = Date.parse(description.created);
  return now().epochMilliseconds - made < DAY;
}

/** Says so if no source is asked. */
function sayNone(config: ClientConfig, { console }: Session): void {
  if (askedSources(config).length === 0)
    console.say(`${config.id}: ${noneAsked(config)}, so this run only extends locks`);
}
