import { refuseNarrow, tryPlace } from "../src/certificate/certificate-place.ts";
import { noteCertified, noteUncertified, uncertified } from "../src/certificate/uncertified.ts";
import { day } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { canAsk } from "../src/cli/interview.ts";
import type { ClientConfig, RetentionConfig } from "../src/config/config.ts";
import { HoldfastError, ownError } from "../src/core/error.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { bytes, people, plural } from "../src/observe/format.ts";
import { errorFields } from "../src/observe/log.ts";
import { onlyClient } from "../src/people/people.ts";
import { leftBehind } from "../src/retention/left-behind.ts";
import { dateIn } from "../src/retention/period.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { type Chosen, type Purged, purgeAll } from "../src/retention/purge.ts";
import { keptAfterAll, type Purge, purges } from "../src/retention/purge-plan.ts";
import { firstSeenAfter } from "../src/retention/relationship.ts";
import { certifyAll } from "../src/session/certify.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openLog } from "../src/session/open-log.ts";
import { openReading } from "../src/session/open-reading.ts";
import { beginWork } from "../src/session/retention-work.ts";
import { agreed, type Consent, confirmAtKeyboard } from "./purge-consent.ts";

export const purgeCommand = command(
  "purge",
  "list records past their retention date, and why; with --confirm, permanently delete them",
  [
    "holdfast retention purge            changes nothing",
    "holdfast retention purge --json | jq '.clients[].purge[] | select(.kept == null)'",
    "holdfast retention purge --client acme-bank --confirm --out ./destroyed-2026-11",
  ],
)
  .option("--confirm", "permanently delete them", false)
  .option(
    "--today <date>",
    "with --confirm: today's date (UTC), required if only this machine's clock is available",
    day,
  )
  .option("--out <folder>", "with --confirm: the folder for the certificate of destruction; must not exist yet")
  .option("--yes", "with --confirm: do not ask on the terminal", false)
  .option("--request <file>", "with --confirm: the request file that purge wrote for a second person to sign")
  .option("--approval <file>", "the second person's signature of the request")
  .addHelpText(
    "after",
    `
It keeps records under a legal hold or a lock. Deleted records cannot be restored; the log and the certificate list
their digests. It needs the right to delete versions, which the exporter should not have.

On a terminal, --confirm first shows how many people and objects it would destroy, with their dates, and asks for the
client's name. --yes skips the question; a script, whose input is no terminal, is not asked.

If the config lists retention.approvals, the first call writes <out>.request.json and exits with code 2. A second person
reads and signs that file, and the second call destroys exactly what it names:
  ssh-keygen -Y sign -n holdfast-purge -f ~/.ssh/id_ed25519 destroyed.request.json
  holdfast retention purge --confirm --request destroyed.request.json --approval destroyed.request.json.sig --out ./destroyed`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      const { confirm, out, today, request, approval, yes } = options;
      if (confirm !== (out !== undefined)) {
        throw new HoldfastError("usage", "--confirm and --out go together", {
          hint: "Without them, purge only lists. With both, it deletes and writes the certificate.",
        });
      }
      if (yes && !confirm) {
        throw new HoldfastError("usage", "--yes goes with --confirm", {
          hint: "Without --confirm, purge only lists, and does not ask.",
        });
      }
      if ((request === undefined) !== (approval === undefined) || (request !== undefined && !confirm)) {
        throw new HoldfastError("usage", "--request and --approval go together, and with --confirm", {
          hint: "The request says what to destroy; the approval is the second person's signature of it.",
        });
      }
      if (out === undefined) {
        await tellClients(session, "retention purge", (onFailure) => listPurges(session, onFailure));
        return;
      }
      const done = await purge(session, out, today, {
        files: request === undefined || approval === undefined ? undefined : { request, approval },
        confirm: yes || !canAsk() ? undefined : confirmAtKeyboard,
      });
      session.console.result({ command: "retention purge", ...done });
      refuseLeft(done);
    }),
  );

interface Flags {
  readonly confirm: boolean;
  readonly yes: boolean;
  readonly out?: string;
  readonly today?: string;
  readonly request?: string;
  readonly approval?: string;
}

/** One person of whom something is past its date. */
export interface PurgeCandidate {
  readonly subject: string;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Until when the law asked for the last of it, its day in the client's zone, and the last day of the relationship. */
  readonly due: string;
  readonly dueDay: string;
  readonly ended: string | undefined;
  /** The day on which the person was first verified, where the relationship is said to have ended before it. */
  readonly verifiedAfter: string | undefined;
  readonly whole: boolean;
  readonly begun: boolean;
  /** Why it stays all the same: a legal hold, or a lock that lasts until then. */
  readonly kept: string | undefined;
}

export interface PurgeList {
  readonly client: string;
  readonly purge: readonly PurgeCandidate[];
  /** Subjects of whom a purge was stopped, and something must be kept after all. */
  readonly withdraw: readonly string[];
  /** Objects that earlier purges say are gone, and whose bytes are still there. */
  readonly left: number;
  /** Earlier purges that were stopped, and of which nothing is certified yet. */
  readonly uncertified: readonly string[];
}

/** What a purge adds to the log of each person: that it begins, and that it has ended. */
const ENTRIES_OF_PURGE = 2;

/** What a purge would take and why, and what keeps the rest. Changes nothing. */
export async function listPurges(session: Session, onFailure?: (failure: ClientFailure) => void): Promise<PurgeList[]> {
  const listOne = async (config: ClientConfig): Promise<PurgeList> => {
    await using reading = await openReading(config, session);
    const { vault, catalog } = reading;
    const { retention } = config;
    let left = 0;
    for await (const _ of leftBehind(vault, catalog)) left += 1;
    const list = {
      purge: [...purges(catalog, retention, session.now())].map((each) => ({
        ...listed(each, retention),
        verifiedAfter: each.ended && firstSeenAfter(catalog, retention, { ...each, ended: each.ended }),
      })),
      withdraw: catalog.purges
        .unfinished()
        .filter((subject) => keptAfterAll(catalog, retention, subject, session.now()).length > 0),
      left,
      uncertified: uncertified(config.state),
    };
    session.console.say(listText(config.id, list));
    return { client: config.id, ...list };
  };
  return eachClient(session, listOne, onFailure);
}

/**
 * Removes it, permanently. The certificate says what was destroyed: by this run, and by those before it that were stopped
 * and have none. It is one for all of them, so that someone who answers for it has one document of one purge.
 * @param today the day (UTC) as a person knows it, where no provider says it
 * @param consent how people agree to it, before anything begins
 */
export async function purge(
  session: Session,
  out: string,
  today?: string,
  consent: Consent = {},
): Promise<Purged & { client: string; run: string; certificate: string | null }> {
  const config = onlyClient(session, "a purge");
  await tryPlace(out);
  const chosen = await agreed(config, session, out, consent);
  const before = uncertified(config.state);
  const done = await purgeClient(config, session, { out, today, chosen });
  session.console.say(purgedText(config.id, done));
  const all = [...before, done.run];
  const of = done.subjects > 0 ? { runs: [done.run], stopped: before } : { runs: [], stopped: all };
  const certified = await certifyAll(config, session, of, out).catch((error: unknown) => {
    throw withoutCertificate(error, config, all, session);
  });
  noteCertified(config.state, all);
  return { client: config.id, ...done, certificate: certified ? out : null };
}

async function purgeClient(
  config: ClientConfig,
  session: Session,
  { out, today, chosen }: { out: string; today: string | undefined; chosen: Chosen | undefined },
): Promise<Purged & { run: string }> {
  await using held = await openLog(config, session, { job: "purge", destroys: { today } });
  using work = beginWork(held, session, { what: "purged", failure: "not purged" });
  const { run } = work;
  await notePolicy(work);
  const ready = async (people: number): Promise<void> => {
    await refuseNarrow(out, people * (held.catalog.subjects.mentionsEach() + ENTRIES_OF_PURGE));
    noteUncertified(config.state, run);
    session.console.say(`${config.id}: purge ${run} begins`);
  };
  const purged = await purgeAll(work, ready, chosen).catch((error: unknown) => {
    throw stopped(error, config, run, session);
  });
  await held.stamp();
  return { ...purged, run };
}

/** The purge was stopped in the middle: what to do is said with its name. */
function stopped(error: unknown, { id }: ClientConfig, run: string, { console }: Session): unknown {
  const own = ownError(error);
  if (!own) {
    console.log.error("the purge was stopped", { client: id, run, ...errorFields(error) });
    return error;
  }
  return new HoldfastError(
    own.code,
    [...own.message.split("\n"), `the purge ${run} was stopped; what it removed is gone`],
    {
      cause: error,
      hint: [
        ...(own.hint?.split("\n") ?? []),
        "Run `holdfast retention purge --confirm --out <folder>` again: it continues from here, and its certificate covers this run too.",
        `For what this run removed alone: ${certificateCommand(id, [run])}`,
      ],
    },
  );
}

/** Nothing brings back what was destroyed, so that it is said however the certificate failed. */
function withoutCertificate(
  error: unknown,
  { id }: ClientConfig,
  runs: readonly string[],
  { console }: Session,
): unknown {
  const run = runs.at(-1)!;
  const gone = `what the purge ${run} removed is gone, and its certificate could not be made`;
  const command = `Then run: ${certificateCommand(id, runs)}`;
  const own = ownError(error);
  if (!own) {
    console.log.error(gone, { client: id, run, hint: command, ...errorFields(error) });
    return error;
  }
  return new HoldfastError(own.code, [gone, ...own.message.split("\n")], {
    cause: error,
    hint: [...(own.hint?.split("\n") ?? []), command],
  });
}

function certificateCommand(client: string, runs: readonly string[]): string {
  return `holdfast retention certificate --client ${client} ${runs.map((run) => `--run ${run}`).join(" ")} --out <folder>`;
}

/** Throws `partial` where something could not be removed: the command's exit code. */
function refuseLeft({ failed }: Purged): void {
  if (failed === 0) return;
  throw new HoldfastError("partial", `${people(failed)} could not be purged`, {
    hint: "The log says who and why. The next purge goes on with them.",
  });
}

function listed(
  { subject, terms, ended, whole, begun, kept }: Purge,
  { timezone }: RetentionConfig,
): Omit<PurgeCandidate, "verifiedAfter"> {
  const last = terms
    .flatMap(({ until }) => until ?? [])
    .sort(Temporal.Instant.compare)
    .at(-1);
  return {
    subject,
    ended,
    whole,
    begun,
    records: terms.filter(({ kind }) => kind === "record").length,
    files: terms.filter(({ kind }) => kind === "file").length,
    bytes: terms.reduce((sum, { size }) => sum + size, 0),
    due: last?.toString({ smallestUnit: "second" }) ?? "",
    dueDay: last ? dateIn(last, timezone).toString() : "",
    kept: kept && (kept.by === "hold" ? "legal hold" : `locked until ${kept.until}`),
  };
}

function listText(client: string, { purge: all, withdraw, left, uncertified }: Omit<PurgeList, "client">): string[] {
  const free = all.filter(({ kept }) => kept === undefined);
  const sum = (of: "records" | "files" | "bytes"): number => free.reduce((total, each) => total + each[of], 0);
  const more = [
    ...(withdraw.length > 0
      ? [`  keep      ${people(withdraw.length)} of whom a purge was stopped, and something is kept after all`]
      : []),
    ...(left > 0
      ? [`  left      ${plural(left, "object")} of earlier purges can still be read under the plain name`]
      : []),
    ...uncertified.map(
      (run) => `  certify   the purge ${run} was stopped, and has no certificate: the next one covers it`,
    ),
  ];
  const confirm = "  Nothing was removed. To remove it permanently: retention purge --confirm --out <folder>";
  if (all.length === 0) return [`${client}: nothing is past its date`, ...more, ...(more.length > 0 ? [confirm] : [])];
  const { first, more: others } = firstFew(all, "--json lists all");
  const rows = first.map(({ subject, records, files, ended, whole, begun, kept, ...of }) => {
    const what = `${plural(records, "record")}, ${plural(files, "file")}`;
    const why = `had to be kept until ${of.dueDay}${ended ? `, relationship ended ${ended}` : ""}`;
    const notes = [
      ...(whole ? [] : ["the rest stays"]),
      ...(begun ? ["purge begun before"] : []),
      ...(of.verifiedAfter ? [`CHECK: verified only on ${of.verifiedAfter}`] : []),
      ...(kept ? [kept] : []),
    ];
    return `  ${kept ? "stays " : "purge "} ${subject}  ${what}  (${[why, ...notes].join("; ")})`;
  });
  return [
    free.length === 0
      ? `${client}: nothing can be purged now; ${people(all.length)} past the date stay, for the reason given`
      : `${client}: ${people(free.length)} can be purged: ${plural(sum("records"), "record")}, ${plural(sum("files"), "file")}, ${bytes(sum("bytes"))}`,
    ...rows,
    ...(others ? [`  ${others}`] : []),
    ...more,
    ...(free.length + more.length > 0 ? [confirm] : []),
  ];
}

function purgedText(
  client: string,
  { run, subjects, records, files, versions, notes, kept, withdrawn, cleared, ...of }: Purged & { run: string },
): string[] {
  return [
    `${client}: ${people(subjects)} purged: ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(of.bytes)}; ${plural(versions, "version")} removed from the store  (run ${run})`,
    ...(notes > 0
      ? [`  notes       ${plural(notes, "sealed note")} about holds and retrievals of people of whom nothing is left`]
      : []),
    ...(kept > 0
      ? [`  kept        ${people(kept)} by a legal hold or a lock; retention purge without --confirm lists them`]
      : []),
    ...(withdrawn > 0
      ? [`  withdrawn   ${plural(withdrawn, "object")} whose purge had begun; kept after all, as the log says now`]
      : []),
    ...(cleared > 0
      ? [`  cleared     ${plural(cleared, "object")} of earlier purges that could still be read under the plain name`]
      : []),
  ];
}
