import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { HoldfastError } from "../src/core/error.ts";
import { ago, bytes, minute, number, people, plural } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { type ClientStatus, type LogStatus, statusOf } from "../src/session/status.ts";

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

/** How every client is. Reads logs and state only, and runs beside an export. */
export async function status(session: Session, onFailure?: (failure: ClientFailure) => void): Promise<ClientStatus[]> {
  return eachClient(session, (config) => statusOf(config, session), onFailure);
}

/** Throws `partial` where a vault could not be checked: the command's exit code. */
function refuseUnchecked(all: readonly ClientStatus[]): void {
  const unchecked = all.filter(({ notChecked }) => notChecked !== null);
  if (unchecked.length === 0) return;
  throw new HoldfastError("partial", `could not check ${plural(unchecked.length, "vault")}`, {
    hint: "What is shown of them is what this machine knew before. Run `holdfast doctor`: it says what is wrong.",
  });
}

interface Line {
  readonly name: string;
  readonly text: string;
  /** Someone should look at it. */
  readonly urgent?: boolean;
}

function statusText(status: ClientStatus, now: Temporal.Instant): string[] {
  const { client, vault, notChecked, log, uncertified, state } = status;
  const lines: Line[] = [
    ...(notChecked ? [{ name: "vault", text: `could not check: ${notChecked.error}`, urgent: true }] : []),
    ...(notChecked && log
      ? [{ name: "", text: `what follows is from this machine's catalog, ${plural(log.entries, "entry", "entries")}` }]
      : []),
    lastRun(status, now),
    ...(status.nextRun ? [{ name: "next run", text: `${minute(status.nextRun)} UTC` }] : []),
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

function lastRun({ log, lastSuccess }: ClientStatus, now: Temporal.Instant): Line {
  const name = "last run";
  if (log === null) {
    return { name, text: lastSuccess ? `last success ${ago(lastSuccess, now)}` : "not known", urgent: !lastSuccess };
  }
  if (log.lastRun === null) return { name, text: "no run yet", urgent: true };
  const { job, outcome, started, finished } = log.lastRun;
  const isDone = outcome === "done";
  const what = outcome ?? "not ended: under way, or killed";
  const since = isDone || !lastSuccess ? "" : `; last success ${ago(lastSuccess, now)}`;
  return { name, text: `${job}, ${what}, ${ago(finished ?? started, now)}${since}`, urgent: !isDone };
}

function verified({ verified: last }: ClientStatus, now: Temporal.Instant): Line {
  const name = "verified";
  if (last === null) return { name, text: "never on this machine", urgent: true };
  const found = last.problems === 0 ? "no problems" : plural(last.problems, "problem");
  const text = `${ago(last.time, now)}, ${found}, ${number(last.readData)} % of the objects read`;
  return { name, text, urgent: last.problems > 0 };
}

function logLines({ kept, holds, past, locksDue }: LogStatus): Line[] {
  const { records, files } = kept;
  const waiting = past.kept === 0 ? "" : `; ${people(past.kept)} past the date stay: hold or lock`;
  return [
    {
      name: "kept",
      text: `${people(kept.people)}, ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(kept.bytes)}`,
    },
    {
      name: "due",
      text: `${past.purge === 0 ? "nothing to purge" : `${people(past.purge)} to purge`}${waiting}`,
      urgent: past.purge > 0,
    },
    {
      name: "locks",
      text: `${number(locksDue["7d"])} people with locks to renew within 7 days, ${number(locksDue["30d"])} within 30`,
      urgent: locksDue["7d"] > 0,
    },
    {
      name: "holds",
      text: holds.cases === 0 ? "none" : `${plural(holds.cases, "case")}, ${people(holds.people)}`,
    },
  ];
}
