import { setImmediate } from "node:timers/promises";
import { logLocks } from "../retention/log-locks.ts";
import type { Work } from "../retention/work.ts";
import { parseKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import type { Index } from "./index-file.ts";
import { type Claimed, interrupted, Looker } from "./look.ts";
import type { TaskOutcomes } from "./outcomes.ts";
import { LockSample } from "./sample.ts";
import { standing } from "./standing.ts";
import { type Counts, Told } from "./told.ts";

/** What came of the jobs. Objects, but for `subjects` and `looked`. */
export interface Confirmed extends Counts {
  /** Logged by this run, and of how many subjects. */
  readonly objects: number;
  readonly subjects: number;
  /** Locked according to a report, and not according to the store. */
  readonly wrong: number;
  /** Locks that the store was asked about. */
  readonly looked: number;
}

/** Objects that are passed before other work gets its turn. */
const TURN = 1_000;
/** Objects looked at together, and logged under one signed checkpoint. */
const BATCH = 2_000;

/**
 * Logs the locks that jobs have set. The log must not promise a lock that does not exist, so the store is asked about a
 * sample of each manifest first, and about each object if one of a sample is wrong. What is logged already is passed
 * over: after an interruption, the same call continues.
 */
export async function confirmLocks(work: Work, outcomes: TaskOutcomes, index: Index): Promise<Confirmed> {
  const told = new Told();
  // One for each manifest: a small one with a false date must not hide beside a large one.
  const samples = index.manifests.map(() => new LockSample<Claimed>());
  const first = new Looker(work);
  const now: Claimed[] = [];
  for await (const claim of claims(work, outcomes, index, told)) {
    if (samples[claim.manifest]!.add(claim)) now.push(claim);
    if (now.length >= BATCH) await first.confirmed(now.splice(0), false);
  }
  await first.confirmed([...now, ...samples.flatMap((sample) => sample.rest())], false);
  const each = first.wrong > 0 ? new Looker(work) : undefined;
  const logged = { objects: 0, subjects: 0 };
  let batch: Claimed[] = [];
  const log = async (): Promise<void> => {
    const locked = each ? await each.confirmed(batch, true) : batch;
    batch = [];
    work.holds();
    const people = Map.groupBy(locked, ({ subject }) => subject);
    const entries = [...people].map(([subject, of]) =>
      logLocks(
        work.ledger,
        subject,
        of.map((claim) => ({ ...claim, kind: parseKey(claim.key)?.kind ?? "record" })),
      ),
    );
    await Promise.all(entries);
    await work.ledger.flush();
    logged.objects += locked.length;
    logged.subjects += people.size;
    work.onSubject(logged.subjects);
  };
  for await (const claim of claims(work, outcomes, index)) {
    // A person's objects are not divided, so that they share an entry.
    if (batch.length >= BATCH && batch.at(-1)?.subject !== claim.subject) await log();
    batch.push(claim);
  }
  await log();
  return { ...logged, ...told.count(), wrong: each?.wrong ?? 0, looked: first.looked + (each?.looked ?? 0) };
}

/** Those that are due by the log and locked according to a report, person by person. The others are told. */
async function* claims(
  { catalog, signal }: Work,
  outcomes: TaskOutcomes,
  { manifests }: Index,
  told?: Told,
): AsyncGenerator<Claimed, void, undefined> {
  const locks = manifests.map(({ lockMode, lockedUntil }): Lock => {
    return { mode: lockMode, until: Temporal.Instant.from(lockedUntil) };
  });
  let looked = 0;
  for (const outcome of outcomes.all()) {
    if (++looked % TURN === 0) await setImmediate();
    if (signal.aborted) throw interrupted();
    const lock = locks[outcome.manifest]!;
    const is = standing(catalog, outcome, lock);
    if (is === "due" && outcome.failure === "") yield { ...outcome, lock };
    else told?.add(is, outcome.failure);
  }
}
