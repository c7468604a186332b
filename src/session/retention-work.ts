import { HoldfastError } from "../core/error.ts";
import { runId } from "../core/run-id.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { Ledger } from "../held/ledger.ts";
import { number, plural, verifications } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { bulkFrom } from "../retention/bulk-size.ts";
import { toSecond } from "../retention/due.ts";
import { type Extended, extendLocks } from "../retention/extend.ts";
import { holdNew } from "../retention/hold.ts";
import { soonOf } from "../retention/lock-due.ts";
import { notePolicy } from "../retention/policy.ts";
import type { Work } from "../retention/work.ts";
import type { Session } from "./client.ts";

export interface LocksOptions {
  /** Whether the log's own parts are looked at too. Default true. */
  readonly ofLog?: boolean;
}

/** Extends the locks that are due, and puts new objects of people under a legal hold on hold. */
export async function extendHeld(
  held: HeldVault,
  session: Session,
  run: string,
  { ofLog = true }: LocksOptions = {},
): Promise<Extended> {
  using work = beginWork(held, session, { run, what: "locks", failure: "lock not extended" });
  await notePolicy(work);
  const unheld = await holdNew(work);
  adviseBulk(held, session);
  const locks = await extendLocks(work, ofLog);
  return { ...locks, failed: locks.failed + unheld };
}

/** Says so if extending the due locks one by one takes long. They are extended all the same. */
function adviseBulk({ config, catalog, now }: HeldVault, { console }: Session): void {
  const { vault, retention } = config;
  const from = bulkFrom(vault.lockRate);
  // In a directory there is nothing to wait for.
  if (vault.kind !== "s3") return;
  if (catalog.locks.countBetween(toSecond(now()), toSecond(soonOf(retention, now())), from) < from) return;
  console.log.warn(
    `the locks of at least ${plural(from, "object")} end soon, and extending them takes more than an hour at vault.lockRate. This run does it; \`holdfast retention extend --plan\` says how to do it in bulk`,
    { client: config.id, count: from },
  );
}

/**
 * The context for a change of retention, with a progress line until it ends.
 * @param failure the log message for a subject that failed
 */
export function beginWork(
  held: HeldVault,
  { console }: Session,
  { run = runId(held.now()), what, failure }: { run?: string; what: string; failure: string },
): Work & Disposable {
  const client = held.config.id;
  const progress = console.progress(`${client}: ${what}`);
  return {
    ...held,
    run,
    ledger: new Ledger({ ...held, run }),
    onSubject: progress.update,
    onFailure: (subject, error) => console.log.error(failure, { client, run, subject, ...errorFields(error) }),
    [Symbol.dispose]: progress.end,
  };
}

/** Throws `partial` if due locks could not be extended. */
export function refuseDue(all: readonly Pick<Extended, "failed">[]): void {
  const failed = all.reduce((sum, locks) => sum + locks.failed, 0);
  if (failed === 0) return;
  throw new HoldfastError("partial", `the locks of ${plural(failed, "object")} are due and could not be extended`, {
    hint: "The log names each by subject and code. The next run retries them.",
  });
}

export function locksText({ subjects, objects, pieces, failed }: Extended): string {
  if (objects + pieces + failed === 0) return "no lock was due";
  const of = [`${plural(objects, "object")} of ${verifications(subjects)}`, `${plural(pieces, "piece")} of the log`];
  return `extended the locks of ${of.join(" and ")}${failed > 0 ? `; ${number(failed)} failed; the next run retries them` : ""}`;
}
