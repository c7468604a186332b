import { uncertified } from "../src/certificate/uncertified.ts";
import type { ClientConfig, RetentionConfig } from "../src/config/config.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { bytes, plural, verifications } from "../src/observe/format.ts";
import { leftBehind } from "../src/retention/left-behind.ts";
import { dateIn } from "../src/retention/period.ts";
import { keptAfterAll, type Purge, purges } from "../src/retention/purge-plan.ts";
import { firstSeenAfter } from "../src/retention/relationship.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openReading } from "../src/session/open-reading.ts";

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
      ? [`  keep      ${verifications(withdraw.length)} of whom a purge was stopped, and something is kept after all`]
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
      ? `${client}: nothing can be purged now; ${verifications(all.length)} past the date stay, for the reason given`
      : `${client}: ${verifications(free.length)} can be purged: ${plural(sum("records"), "record")}, ${plural(sum("files"), "file")}, ${bytes(sum("bytes"))}`,
    ...rows,
    ...(others ? [`  ${others}`] : []),
    ...more,
    ...(free.length + more.length > 0 ? [confirm] : []),
  ];
}
