import type { ClientConfig, RetentionConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import { bytes, number, people, plural } from "../src/observe/figures.ts";
import { errorFields } from "../src/observe/log.ts";
import { refuseTaken } from "../src/report/certificate-writer.ts";
import { leftBehind } from "../src/retention/left-behind.ts";
import { dateIn } from "../src/retention/period.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { type Purged, purgeAll } from "../src/retention/purge.ts";
import { keptAfterAll, type Purge, purges } from "../src/retention/purge-plan.ts";
import { firstSeenAfter } from "../src/retention/relationship.ts";
import { certify } from "./certificate.ts";
import type { Session } from "./client.ts";
import { type ClientFailure, eachClient } from "./each-client.ts";
import { withLog } from "./log.ts";
import { onlyClient } from "./people.ts";
import { withReading } from "./reading.ts";
import { withWork } from "./retention.ts";

/** One person of whom something is past its date. */
export interface Listed {
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
  readonly purge: readonly Listed[];
  /** Subjects of whom a purge was stopped, and something is to be kept after all. */
  readonly withdraw: readonly string[];
  /** Objects that earlier purges say are gone, and whose bytes are still there. */
  readonly left: number;
}

/** People that the text shows; `--json` has all. */
const SHOWN = 20;

/** What a purge would take and why, and what keeps the rest. Changes nothing. */
export async function listPurges(session: Session, onFailure?: (failure: ClientFailure) => void): Promise<PurgeList[]> {
  const listOne = async (config: ClientConfig): Promise<PurgeList> => {
    const list = await withReading(config, session, async ({ vault, catalog }) => {
      const { retention } = config;
      let left = 0;
      for await (const _ of leftBehind(vault, catalog)) left += 1;
      return {
        purge: [...purges(catalog, retention, session.now())].map((each) => ({
          ...listed(each, retention),
          verifiedAfter: each.ended && firstSeenAfter({ catalog, retention }, { ...each, ended: each.ended }),
        })),
        withdraw: catalog.life
          .unfinished()
          .filter((subject) => keptAfterAll(catalog, retention, subject, session.now()).length > 0),
        left,
      };
    });
    session.console.say(listText(config.id, list));
    return { client: config.id, ...list };
  };
  return eachClient(session, listOne, onFailure);
}

/** Removes it, for ever. The certificate says what was destroyed. */
export async function purge(
  session: Session,
  out: string,
): Promise<Purged & { client: string; run: string; certificate: string | null }> {
  const config = onlyClient(session, "a purge");
  await refuseTaken(out);
  const done = await withLog(config, session, { job: "purge" }, (held) =>
    withWork(config, session, held, { what: "purged", failure: "not purged" }, async (work) => {
      await notePolicy(work);
      const purged = await purgeAll(work).catch((error: unknown) => {
        session.console.log.error("the purge was stopped; retention certificate --run certifies what it had removed", {
          ...{ client: config.id, run: work.run, ...errorFields(error) },
        });
        throw error;
      });
      return { ...purged, run: work.run };
    }),
  );
  session.console.say(purgedText(config.id, done));
  if (done.subjects > 0) await certify(session, done.run, out);
  return { client: config.id, ...done, certificate: done.subjects > 0 ? out : null };
}

/** Throws `partial` where something could not be removed: the command's exit code. */
export function refuseLeft({ failed }: Purged): void {
  if (failed === 0) return;
  throw new HoldfastError("partial", `${people(failed)} could not be purged`, {
    mend: "The log says who and why. The next purge goes on with them.",
  });
}

function listed(
  { subject, terms, ended, whole, begun, kept }: Purge,
  { timezone }: RetentionConfig,
): Omit<Listed, "verifiedAfter"> {
  const last = terms
    .flatMap(({ until }) => until ?? [])
    .sort(Temporal.Instant.compare)
    .at(-1);
  return {
    ...{ subject, ended, whole, begun },
    records: terms.filter(({ kind }) => kind === "record").length,
    files: terms.filter(({ kind }) => kind === "file").length,
    bytes: terms.reduce((sum, { size }) => sum + size, 0),
    due: last?.toString({ smallestUnit: "second" }) ?? "",
    dueDay: last ? dateIn(last, timezone).toString() : "",
    kept: kept && (kept.by === "hold" ? "legal hold" : `locked until ${kept.until}`),
  };
}

function listText(client: string, { purge: all, withdraw, left }: Omit<PurgeList, "client">): string[] {
  const free = all.filter(({ kept }) => kept === undefined);
  const sum = (of: "records" | "files" | "bytes"): number => free.reduce((total, each) => total + each[of], 0);
  const more = [
    ...(withdraw.length > 0
      ? [`  keep      ${people(withdraw.length)} of whom a purge was stopped, and something is kept after all`]
      : []),
    ...(left > 0
      ? [`  left      ${plural(left, "object")} of earlier purges can still be read under the plain name`]
      : []),
  ];
  const confirm = "  Nothing was removed. To remove it permanently: retention purge --confirm --out <folder>";
  if (all.length === 0) return [`${client}: nothing is past its date`, ...more, ...(more.length > 0 ? [confirm] : [])];
  const rows = all.slice(0, SHOWN).map(({ subject, records, files, ended, whole, begun, kept, ...of }) => {
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
    ...(all.length > SHOWN ? [`  … and ${number(all.length - SHOWN)} more; --json lists all`] : []),
    ...more,
    ...(free.length + more.length > 0 ? [confirm] : []),
  ];
}

function purgedText(
  client: string,
  { run, subjects, records, files, versions, kept, withdrawn, cleared, ...of }: Purged & { run: string },
): string[] {
  return [
    `${client}: ${people(subjects)} purged: ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(of.bytes)}; ${plural(versions, "version")} removed from the store  (run ${run})`,
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
