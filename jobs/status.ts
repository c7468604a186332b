import type { RunTold } from "../src/catalog/runs.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { HoldfastError } from "../src/core/error.ts";
import { ago, bytes, minute, number, plural, verifications } from "../src/observe/format.ts";
import { LONG_AGO } from "../src/report/proof-section.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { waitingText } from "../src/session/export-summary.ts";
import { type ClientStatus, clientStatus, type LogStatus, type SourceStatus } from "../src/session/status.ts";

export const statusCommand = command(
  "status",
  "one screen of all clients: last run, last verification, what is due, holds, locks, disk use",
  ["holdfast status", "holdfast status --json | jq '.clients[] | {client, lastSuccess, past: .log.past}'"],
)
  .addHelpText(
    "after",
    `
Lines with ! need attention. Changes nothing, takes no lease, and checks no object: verify does. Where a vault cannot be
reached it says "could not check", shows what this machine knows from earlier runs, and ends with code 3.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "status", (onFailure) => status(session, onFailure), {
        lines: (all) => all.flatMap((each) => statusText(each, session.now())),
        refuse: refuseUnchecked,
      });
    }),
  );

/** The status of every client. Reads only logs and state, and can run during an export. */
export async function status(session: Session, onFailure?: (failure: ClientFailure) => void): Promise<ClientStatus[]> {
  return eachClient(session, (config) => clientStatus(config, session), onFailure);
}

/** Throws `partial` where a vault could not be checked: the command's exit code. */
function refuseUnchecked(all: readonly ClientStatus[]): void {
  const unchecked = all.filter(({ notChecked }) => notChecked !== null);
  if (unchecked.length === 0) return;
  throw new HoldfastError("partial", `could not check ${plural(unchecked.length, "vault")}`, {
    hint: "What is shown of them is what this machine knew before. Run `holdfast doctor`: it says what is wrong.",
  });
}

interface StatusLine {
  readonly name: string;
  readonly text: string;
  /** It needs attention. */
  readonly urgent?: boolean;
}

function statusText(status: ClientStatus, now: Temporal.Instant): string[] {
  const { client, vault, notChecked, log, uncertified, state } = status;
  const lines: StatusLine[] = [
    ...(notChecked ? [{ name: "vault", text: `could not check: ${notChecked.error}`, urgent: true }] : []),
    ...(notChecked && log
      ? [{ name: "", text: `what follows is from this machine's catalog, ${plural(log.entries, "entry", "entries")}` }]
      : []),
    lastRun(status, now),
    ...(log ? [...sourceLines(log.sources, now), ...dropLines(log.sources)] : []),
    ...nextRun(status, now),
    ...webhookLines(status, now),
    verified(status, now),
    ...(log ? logLines(log) : [{ name: "kept", text: "not known" }]),
    ...uncertified.map((run) => ({ name: "certify", text: `the purge ${run} has no certificate`, urgent: true })),
    { name: "state", text: `${bytes(state.bytes)} in ${state.path}` },
  ];
  return [
    `${client}  ${vault}`,
    ...lines.map(({ name, text, urgent }) => `${urgent ? "!" : " "} ${name.padEnd(10)}${text}`),
  ];
}

function lastRun({ log, lastSuccess, unreadable }: ClientStatus, now: Temporal.Instant): StatusLine {
  const name = "last run";
  if (log === null) {
    const unknown = unreadable.lastRun === null ? "not known" : `could not read ${unreadable.lastRun}`;
    const isOld = !lastSuccess || isPast(lastSuccess, RUN_DAYS, now);
    return { name, text: lastSuccess ? `last success ${ago(lastSuccess, now)}` : unknown, urgent: isOld };
  }
  if (log.lastRun === null) return { name, text: "no run yet", urgent: true };
  const since = log.lastRun.outcome === "done" || !lastSuccess ? "" : `; last success ${ago(lastSuccess, now)}`;
  return { name, text: `${runText(log.lastRun, now)}${since}`, urgent: isUrgent(log.lastRun, now) };
}

function runText({ job, outcome, started, finished }: RunTold, now: Temporal.Instant): string {
  return `${job}, ${outcome ?? "not ended: under way, or killed"}, ${ago(finished ?? started, now)}`;
}

function isUrgent({ outcome, started, finished }: RunTold, now: Temporal.Instant): boolean {
  return outcome !== "done" || isPast(finished ?? started, RUN_DAYS, now);
}

/** A line for each of several sources. */
function sourceLines(sources: readonly SourceStatus[], now: Temporal.Instant): StatusLine[] {
  if (sources.length === 1) return [];
  return sources.map(({ name, kind, retired, lastRun }) => {
    const place = name === kind ? name : `${name} (${kind})`;
    if (retired) return { name: "source", text: `${place}: retired, not asked` };
    if (lastRun === null) return { name: "source", text: `${place}: no run yet`, urgent: true };
    return { name: "source", text: `${place}: ${runText(lastRun, now)}`, urgent: isUrgent(lastRun, now) };
  });
}

/** Drops that the last run could not take. */
function dropLines(sources: readonly SourceStatus[]): StatusLine[] {
  return sources.flatMap(({ name, retired, lastRun }) => {
    const { waiting = 0, stalled = 0 } = lastRun?.counts ?? {};
    if (retired || waiting === 0) return [];
    return [{ name: "drops", text: `${name}: ${waitingText({ waiting, stalled })}`, urgent: stalled > 0 }];
  });
}

/** A run older than this many days needs attention. */
const RUN_DAYS = 2;

function isPast(time: string, days: number, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(Temporal.Instant.from(time).add({ hours: 24 * days }), now) < 0;
}

function nextRun({ nextRun, unreadable }: ClientStatus, now: Temporal.Instant): StatusLine[] {
  const name = "next run";
  if (unreadable.lastRun !== null) return [{ name, text: `could not read ${unreadable.lastRun}`, urgent: true }];
  if (nextRun === null) return [];
  const isMissed = isPast(nextRun, 0, now);
  return [{ name, text: `${minute(nextRun)} UTC${isMissed ? ", which has passed" : ""}`, urgent: isMissed }];
}

/** An event that has waited so many days is of someone who fails in every run, or no run reads it. */
const WAITING_DAYS = 3;

/** What webhooks named and no run has asked about, of each source that receives them. */
function webhookLines({ webhooks }: ClientStatus, now: Temporal.Instant): StatusLine[] {
  const name = "webhooks";
  if (webhooks === null) return [{ name, text: "could not read the inbox", urgent: true }];
  return webhooks.map(({ source, people: waiting, oldest, last }) => {
    const place = webhooks.length === 1 ? "" : `${source}: `;
    const since = oldest === null ? "none waits" : `${verifications(waiting)} waiting, the oldest ${ago(oldest, now)}`;
    const arrived = last === null ? "none has come yet" : `last ${ago(last, now)}`;
    const isUrgent = last === null || (oldest !== null && isPast(oldest, WAITING_DAYS, now));
    return { name, text: `${place}${since}; ${arrived}`, urgent: isUrgent };
  });
}

function verified({ verified: last, unreadable }: ClientStatus, now: Temporal.Instant): StatusLine {
  const name = "verified";
  if (unreadable.verified !== null) return { name, text: `could not read ${unreadable.verified}`, urgent: true };
  if (last === null) return { name, text: "never on this machine", urgent: true };
  const { problems, unlocked = 0, unlisted = 0, locks } = last;
  const found = [
    ...(problems > 0 ? [plural(problems, "problem")] : []),
    ...(unlocked > 0 ? [`${plural(unlocked, "object")} not locked`] : []),
    ...(unlisted > 0 ? ["could not check everything: the store's listing was wrong"] : []),
  ];
  const looked =
    locks === undefined || locks.looked === locks.of
      ? ""
      : `, locks of ${number(locks.looked)} of ${number(locks.of)} looked at`;
  const text = `${ago(last.time, now)}, ${found.join(", ") || "no problems"}, ${number(last.readData)} % of the objects read${looked}`;
  return { name, text, urgent: found.length > 0 || isPast(last.time, LONG_AGO, now) };
}

function logLines({ kept, withheld, holds, past, locksDue }: LogStatus): StatusLine[] {
  const { records, files } = kept;
  const waiting = past.kept === 0 ? "" : `; ${verifications(past.kept)} past the date stay: hold or lock`;
  return [
    {
      name: "kept",
      text: `${verifications(kept.people)}, ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(kept.bytes)}`,
    },
    ...(withheld.files > 0
      ? [
          {
            name: "withheld",
            text: `${plural(withheld.files, "file")} of ${verifications(withheld.people)}`,
            urgent: true,
          },
        ]
      : []),
    {
      name: "due",
      text: `${past.purge === 0 ? "nothing to purge" : `${verifications(past.purge)} to purge`}${waiting}`,
      urgent: past.purge > 0,
    },
    {
      name: "locks",
      text: `${verifications(locksDue["7d"])} with locks to renew within 7 days, ${number(locksDue["30d"])} within 30`,
      urgent: locksDue["7d"] > 0,
    },
    {
      name: "holds",
      text: holds.cases === 0 ? "none" : `${plural(holds.cases, "case")}, ${verifications(holds.people)}`,
    },
  ];
}
