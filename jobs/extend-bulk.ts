import { join } from "node:path";
import { isAws } from "../src/bulk/aws.ts";
import { readCompleted } from "../src/bulk/completed.ts";
import { type Confirmed, confirmLocks } from "../src/bulk/confirm.ts";
import { INDEX } from "../src/bulk/index-file.ts";
import { writeManifests } from "../src/bulk/write-manifests.ts";
import type { ClientConfig, S3VaultConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { number, plural, verifications } from "../src/observe/format.ts";
import { onlyClient } from "../src/people/people.ts";
import { smallestJob } from "../src/retention/bulk-size.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { openReading } from "../src/session/open-reading.ts";
import { beginWork } from "../src/session/retention-work.ts";

export interface WrittenManifests {
  readonly client: string;
  /** Null if no date has enough due objects for a job: then nothing was written. */
  readonly folder: string | null;
  /** Objects in the manifests, and due objects that the nightly run extends. */
  readonly objects: number;
  readonly left: number;
  readonly manifests: readonly { readonly file: string; readonly lockedUntil: string; readonly objects: number }[];
}

/** Writes the manifests for jobs of S3 Batch Operations that extend the due locks of one client. Changes no vault. */
export async function manifestsFor(
  session: Session,
  out: string,
  ahead: Temporal.Duration | undefined,
): Promise<WrittenManifests> {
  const config = onlyClient(session, "retention extend --manifest");
  const vault = s3VaultOf(config, "--manifest");
  const { console, now, signal } = session;
  await using reading = await openReading(config, session);
  using progress = console.progress(`${config.id}: people with due locks`);
  const looking = { config, catalog: reading.catalog, at: now(), ahead, signal, onSubject: progress.update };
  const { manifests, left } = await writeManifests(config.id, vault, looking, out);
  progress.end();
  const objects = manifests.reduce((sum, each) => sum + each.objects, 0);
  const rest = left > 0 ? [`  the nightly run extends the locks of ${number(left)} more`] : [];
  console.say(
    manifests.length === 0
      ? `${config.id}: wrote nothing: no date has at least ${plural(smallestJob(vault.lockRate), "due object")}; the nightly run extends the locks of ${number(left)}`
      : [
          `${config.id}: ${plural(manifests.length, "manifest")} for ${plural(objects, "object")} in ${out}`,
          ...rest,
          ...(isAws(vault) ? [] : ["  this store is not AWS, which alone has S3 Batch Operations"]),
          `  ${join(out, INDEX)} has the commands that create the jobs`,
        ],
  );
  return {
    ...{ client: config.id, folder: manifests.length === 0 ? null : out, objects, left },
    manifests: manifests.map(({ command: _, sha256: __, ...of }) => of),
  };
}

export interface ConfirmedLocks extends Confirmed {
  readonly client: string;
}

/** Logs the locks that jobs of S3 Batch Operations have set, from their completion reports. */
export async function confirmCompleted(
  session: Session,
  folder: string,
  reports: readonly string[],
): Promise<ConfirmedLocks> {
  const config = onlyClient(session, "retention extend --completed");
  const vault = s3VaultOf(config, "--completed");
  const { console, signal } = session;
  const scratch = join(config.state, `completed-${process.pid}.sqlite`);
  // Before the vault is held: sorting many millions of rows would keep this process from renewing its lease.
  using reading = console.progress(`${config.id}: rows of manifests and reports`);
  using completed = await readCompleted({
    ...{ client: config.id, vault, folder, reports, scratch, signal, onRows: reading.update },
  });
  reading.end();
  await using held = await openLog(config, session, { job: "retention" });
  using work = beginWork(held, session, { what: "locks set in bulk", failure: "lock not set as reported" });
  const confirmed = await confirmLocks(work, completed.outcomes, completed.index);
  await held.stamp();
  console.say(confirmedText(config.id, confirmed));
  return { client: config.id, ...confirmed };
}

/** Throws `partial` if a job left locks that are due. */
export function refuseLeft({ failed, unreported, wrong }: Confirmed): void {
  const left = failed + unreported + wrong;
  if (left === 0) return;
  throw new HoldfastError("partial", `the locks of ${plural(left, "object")} were not extended in bulk and stay due`, {
    hint: [
      "The next nightly run extends them, or `holdfast retention extend` now.",
      ...(unreported > 0 ? ["Give the reports of all jobs together, with ReportScope AllTasks."] : []),
      ...(wrong > 0 ? ["Find out who wrote the report: the store does not have the locks that it claims."] : []),
    ],
  });
}

function confirmedText(client: string, of: Confirmed): string[] {
  const codes = Object.entries(of.codes).map(([code, count]) => `${number(count)} ${code}`);
  const rows: [number, string][] = [
    [of.done, "have such a lock in the log already"],
    [of.gone, "are no longer in the vault by the log"],
    [of.failed, `failed: ${codes.join(", ")}`],
    [of.unreported, "are in no report"],
    [of.wrong, "are not locked in the store, although a report says so"],
  ];
  return [
    `${client}: logged the locks of ${plural(of.objects, "object")} of ${verifications(of.subjects)}; asked the store about ${number(of.looked)}`,
    ...rows.filter(([count]) => count > 0).map(([count, what]) => `  ${number(count)} ${what}`),
  ];
}

function s3VaultOf({ id, vault }: ClientConfig, option: string): S3VaultConfig {
  if (vault.kind === "s3") return vault;
  throw new HoldfastError("usage", `${id}: ${option} is for vaults in S3, and this one is in a directory`, {
    hint: "Leave it out: `holdfast retention extend` extends these locks without requests.",
  });
}
