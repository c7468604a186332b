import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { runId } from "../core/run-id.ts";
import { number, people, plural } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { type Extended, extendLocks } from "../retention/extend.ts";
import { holdNew } from "../retention/hold.ts";
import { notePolicy } from "../retention/policy.ts";
import type { Work } from "../retention/work.ts";
import type { Session } from "./client.ts";
import type { Held } from "./open-log.ts";

/** The same for one client, by whoever holds its vault. What was stored of somebody under a legal hold is held too. */
export async function extendHeld(
  config: ClientConfig,
  session: Session,
  held: Pick<Held, "vault" | "writer" | "catalog" | "now" | "holds">,
  run: string,
): Promise<Extended> {
  return withWork(config, session, held, { run, what: "locks", failure: "lock not extended" }, async (work) => {
    await notePolicy(work);
    const unheld = await holdNew(work);
    const locks = await extendLocks(work);
    return { ...locks, failed: locks.failed + unheld };
  });
}

/** Everything that a change of retention works with, and a progress line for as long as it takes. */
export async function withWork<T>(
  config: ClientConfig,
  { console, signal }: Session,
  { vault, writer, catalog, now, holds }: Pick<Held, "vault" | "writer" | "catalog" | "now" | "holds">,
  { run = runId(now()), what, failure }: { run?: string; what: string; failure: string },
  work: (work: Work) => Promise<T>,
): Promise<T> {
  const progress = console.progress(`${config.id}: ${what}`);
  try {
    return await work({
      ...{ vault, writer, catalog, now, holds, signal, run },
      ...{ retention: config.retention, mode: config.vault.lock, concurrency: config.vault.concurrency },
      onSubject: progress.update,
      onFailure: (subject, error) =>
        console.log.error(failure, { client: config.id, run, subject, ...errorFields(error) }),
    });
  } finally {
    progress.end();
  }
}

/** Throws `partial` where locks are due that could not be extended. */
export function refuseDue(all: readonly Pick<Extended, "failed">[]): void {
  const failed = all.reduce((sum, locks) => sum + locks.failed, 0);
  if (failed === 0) return;
  throw new HoldfastError("partial", `the locks of ${plural(failed, "object")} are due and could not be extended`, {
    mend: "The log says which, by subject and code. The next run tries them again.",
  });
}

export function locksText({ subjects, objects, pieces, failed }: Extended): string {
  if (objects + pieces + failed === 0) return "no lock was due";
  const of = [`${plural(objects, "object")} of ${people(subjects)}`, `${plural(pieces, "piece")} of the log`];
  return `extended the locks of ${of.join(" and ")}${failed > 0 ? `; ${number(failed)} failed, and are tried again` : ""}`;
}
