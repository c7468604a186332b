import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import { bytes, number, people, plural } from "../src/observe/figures.ts";
import { refuseTaken } from "../src/report/certificate-writer.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { type Purged, purgeAll } from "../src/retention/purge.ts";
import { type Purge, purges } from "../src/retention/purge-plan.ts";
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
  /** The day until which the law asked for the last of it, and the last day of the relationship if that started it. */
  readonly due: string;
  readonly ended: string | undefined;
  readonly whole: boolean;
  readonly begun: boolean;
  /** Why it stays all the same: a legal hold, or a lock that lasts until then. */
  readonly kept: string | undefined;
}

export interface PurgeList {
  readonly client: string;
  readonly purge: readonly Listed[];
}

/** People that the text shows; `--json` has all. */
const SHOWN = 20;

/** What a purge would take and why, and what keeps the rest. Changes nothing. */
export async function listPurges(session: Session, onFailure?: (failure: ClientFailure) => void): Promise<PurgeList[]> {
  const listOne = async (config: ClientConfig): Promise<PurgeList> => {
    const purge = await withReading(config, session, async ({ catalog }) =>
      [...purges(catalog, config.retention, session.now())].map(listed),
    );
    session.console.say(listText(config.id, purge));
    return { client: config.id, purge };
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
      const purged = await purgeAll(work);
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

function listed({ subject, terms, ended, whole, begun, kept }: Purge): Listed {
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
    kept: kept && (kept.by === "hold" ? "legal hold" : `locked until ${kept.until}`),
  };
}

function listText(client: string, all: readonly Listed[]): string {
  const free = all.filter(({ kept }) => kept === undefined);
  const sum = (of: "records" | "files" | "bytes"): number => free.reduce((total, each) => total + each[of], 0);
  if (all.length === 0) return `${client}: nothing is past its date`;
  const rows = all.slice(0, SHOWN).map(({ subject, records, files, due, ended, whole, begun, kept }) => {
    const what = `${plural(records, "record")}, ${plural(files, "file")}`;
    const why = `had to be kept until ${due.slice(0, 10)}${ended ? `, relationship ended ${ended}` : ""}`;
    const more = [
      ...(whole ? [] : ["the rest stays"]),
      ...(begun ? ["purge begun before"] : []),
      ...(kept ? [kept] : []),
    ];
    return `  ${kept ? "stays " : "purge "} ${subject}  ${what}  (${[why, ...more].join("; ")})`;
  });
  return [
    free.length === 0
      ? `${client}: nothing can be purged now; ${people(all.length)} past the date stay, for the reason given`
      : `${client}: ${people(free.length)} can be purged: ${plural(sum("records"), "record")}, ${plural(sum("files"), "file")}, ${bytes(sum("bytes"))}`,
    ...rows,
    ...(all.length > SHOWN ? [`  … and ${number(all.length - SHOWN)} more; --json lists all`] : []),
    ...(free.length > 0
      ? ["  nothing was removed. To remove it for ever: retention purge --confirm --out <folder>"]
      : []),
  ].join("\n");
}

function purgedText(
  client: string,
  { run, subjects, records, files, versions, kept, ...of }: Purged & { run: string },
): string {
  return [
    `${client}: ${people(subjects)} purged: ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(of.bytes)}; ${plural(versions, "version")} removed from the store  (run ${run})`,
    ...(kept > 0
      ? [`  kept        ${people(kept)} by a legal hold or a lock; retention purge without --confirm lists them`]
      : []),
  ].join("\n");
}
