import { setImmediate } from "node:timers/promises";
import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { type Due, dueOf, dueSubjects } from "../retention/due.ts";
import { soonOf } from "../retention/lock-due.ts";

/** Subjects that are looked at before other work gets its turn: some milliseconds. */
const TURN = 100;

export interface LookingAhead {
  readonly config: Pick<ClientConfig, "retention" | "vault">;
  readonly catalog: Catalog;
  /** One moment for all, so that all get the same date. */
  readonly at: Temporal.Instant;
  /** Also what becomes due within this time. */
  readonly ahead?: Temporal.Duration | undefined;
  readonly signal: AbortSignal;
  readonly onSubject: (done: number) => void;
}

/** Everyone with an object whose lock is due, or soon, from the catalog: sends no request and changes nothing. */
export async function* eachDue(looking: LookingAhead): AsyncGenerator<{ subject: string; due: Due[] }> {
  const { catalog, at, signal, onSubject } = looking;
  const within = { catalog, config: { ...looking.config, retention: sooner(looking) }, now: () => at };
  let looked = 0;
  for (const page of dueSubjects(within)) {
    for (const subject of page) {
      const due = dueOf(within, subject);
      if (due.length > 0) yield { subject, due };
      if (++looked % TURN !== 0) continue;
      await setImmediate();
      onSubject(looked);
      if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; nothing was changed");
    }
  }
  onSubject(looked);
}

/** The policy under which what is due after `ahead` is due now. */
function sooner({ config: { retention }, at, ahead }: LookingAhead): ClientConfig["retention"] {
  if (ahead === undefined) return retention;
  const soon = soonOf(retention, at).toZonedDateTimeISO("UTC").add(ahead).toInstant();
  if (Temporal.Instant.compare(soon, at.toZonedDateTimeISO("UTC").add(retention.initialLock).toInstant()) >= 0) {
    throw new HoldfastError("usage", `--ahead ${ahead} is too long: every lock would be due, also new ones`, {
      hint: `Together with extendWhenLessThan (${retention.extendWhenLessThan}) it must be shorter than initialLock (${retention.initialLock}).`,
    });
  }
  return { ...retention, extendWhenLessThan: at.until(soon, { largestUnit: "second" }) };
}
