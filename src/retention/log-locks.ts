import type { Ledger } from "../held/ledger.ts";
import type { Due } from "./due.ts";

/** A lock that an object has now. */
export type Locked = Pick<Due, "kind" | "key" | "versionId" | "lock">;

/** Logs the locks that a subject's objects have now, an entry for each date and mode. */
export async function logLocks(ledger: Ledger, subject: string, locked: readonly Locked[]): Promise<void> {
  const alike = Map.groupBy(locked, ({ kind, lock }) => `${kind === "note"} ${lock.mode} ${lock.until}`);
  const entries = [...alike.values()].map((group) => {
    const { kind, lock } = group[0]!;
    const objects = group.map(({ key, versionId }) => ({ key, versionId }));
    const until = { lockedUntil: lock.until.toString(), lockMode: lock.mode };
    return kind === "note"
      ? ledger.log({ type: "note.extended", subject, ...until, notes: objects })
      : ledger.log({ type: "lock.extended", subject, ...until, objects });
  });
  await Promise.all(entries);
}
