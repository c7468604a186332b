import type { ClientConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import { placeOf } from "../config/sources.ts";
import { type Forecast, forecastNamed, forecastWalk } from "../export/forecast.ts";
import type { Selection } from "../export/plan.ts";
import { peekRunInbox } from "../inbox/run-inbox.ts";
import { number, plural, seconds } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import type { Handles } from "../record/handles.ts";
import { handlesOf, openTokens, type Session } from "./client.ts";
import { waitingText } from "./export-summary.ts";
import { openReading } from "./open-reading.ts";
import { openSource } from "./open-source.ts";

export interface DryRun extends Forecast {
  readonly client: string;
  /** The name of the source. */
  readonly source: string;
  /** Drops of a folder that are not taken yet; of these, how many began more than three days ago. */
  readonly waiting: number;
  readonly stalled: number;
  /** The inbox of webhooks could not be read, so those whom they named are not counted. */
  readonly inboxUnread?: true | undefined;
}

export interface DryRunOptions {
  /** Provider ids. Undefined: everyone in the selection. */
  readonly identities: readonly string[] | undefined;
  readonly again: boolean;
  readonly selection: Selection;
}

/**
 * Shows what an export of one source would do now. It needs no lease, because it writes nothing to the vault or the log.
 * It asks the provider, so it shares this machine's rate limit (a file in the state). If the catalog is behind
 * the log, it rebuilds it in a temporary file.
 */
export async function dryRun(
  config: ClientConfig,
  sourceConfig: ActiveSourceConfig,
  session: Session,
  asked: DryRunOptions,
): Promise<DryRun> {
  const { console, signal, now } = session;
  const place = placeOf(config, sourceConfig.name);
  await using reading = await openReading(config, session);
  const { catalog, description } = reading;
  const tokens = await openTokens(config, description);
  await using opened = await openSource(config, sourceConfig, session, "low");
  // As in a run: it says best why a key is refused.
  await opened.source.project();
  const handles = await handlesOf(config);
  const { identities, again, selection } = asked;
  // As in a run: one for named people does not read it.
  const readsInbox = identities === undefined && selection.kind === "changed" && sourceConfig.webhook !== undefined;
  const inbox = readsInbox ? inboxOf(config, sourceConfig, handles, session) : undefined;
  const parts = {
    config,
    source: opened.source,
    sourceConfig,
    handles,
    inbox,
    tokens,
    catalog,
    now,
    signal,
    log: console.log,
  };
  using progress = console.progress(`${place}: ${identities ? "asked" : "listed"}`);
  const about = catalog.totals.counts().subjects;
  const found = identities
    ? await forecastNamed(parts, identities, again, (done) => progress.update(done, identities.length))
    : await forecastWalk(parts, selection, (listed) => progress.update(listed, { about }));
  progress.end();
  const { count: waiting, stalled } = opened.source.waiting ?? { count: 0, stalled: 0 };
  const isUnread = readsInbox && inbox === undefined;
  const all = { ...found, waiting, stalled, ...(isUnread ? { inboxUnread: true as const } : {}) };
  console.say(forecastText(place, all));
  return { client: config.id, source: sourceConfig.name, ...all };
}

/** Like a run, a dry run without the inbox still finds everyone whom the source itself names. */
function inboxOf({ id, state }: ClientConfig, source: ActiveSourceConfig, handles: Handles, { console }: Session) {
  try {
    return peekRunInbox(state, source, handles);
  } catch (error) {
    console.log.warn("cannot read the inbox: people named by webhooks are not counted", {
      client: id,
      source: source.name,
      ...errorFields(error),
    });
    return undefined;
  }
}

function forecastText(place: string, of: Forecast & Pick<DryRun, "waiting" | "stalled" | "inboxUnread">): string[] {
  const rows = [
    ...(of.inboxUnread ? [["webhooks", "could not be read"]] : []),
    ...(of.askedByInbox > 0 ? [["webhooks", `named ${plural(of.askedByInbox, "identity", "identities")}`]] : []),
    ["new", number(of.new)],
    ["changed", number(of.changed)],
    ["unchanged", number(of.unchanged)],
    ...(of.again > 0 ? [["again", `${number(of.again)} (stored again, as asked)`]] : []),
    ...(of.unknown > 0
      ? [["unknown", `${number(of.unknown)} (only fetching shows whether they are new or changed)`]]
      : []),
    ["past", `${number(of.past)} (past their retention date: skipped)`],
    ...(of.gone > 0 ? [["gone", `${number(of.gone)} (not at the provider)`]] : []),
    ...(of.unreadable > 0 ? [["unreadable", `${number(of.unreadable)} entries of the list have no readable id`]] : []),
    ...(of.waiting > 0 ? [["waiting", waitingText(of)]] : []),
    ["to fetch", plural(of.toFetch, "identity", "identities")],
    ["files", of.sampled === 0 ? "0" : `about ${number(of.files)} (estimated from ${of.sampled} identities)`],
    // A folder is asked by no requests, and has no rate.
    ...(of.requests > 0
      ? [
          ["requests", `about ${number(of.requests)} to the source`],
          ["time", `at least ${seconds(of.seconds)}, at the configured rate`],
        ]
      : []),
  ];
  return [
    `${place}: dry run of ${plural(of.examined, "identity", "identities")}; nothing was written`,
    ...rows.map(([name, value]) => `  ${name!.padEnd(12)}${value}`),
  ];
}
