import type { DatabaseSync } from "node:sqlite";
import { isInstant } from "../core/timestamp.ts";
import { inboxError, inboxFile, peekDatabase } from "./database.ts";
import { HIGHEST, type Pending, pendingIn, pendingPage } from "./pending.ts";

/** What waits of a source. */
export interface WaitingEvents {
  readonly count: number;
  /** Whom these events name, each counted once. */
  readonly people: number;
  /** When the oldest arrived. */
  readonly oldest: string | undefined;
  /** When a verified event last arrived, also of those that are settled. */
  readonly last: string | undefined;
}

/** The same of these sources, without opening the inbox for writing. Throws `state`. */
export function peekInbox(state: string, sources: readonly string[]): ReadonlyMap<string, WaitingEvents> {
  return peek(
    state,
    (db) => new Map(sources.map((name) => [name, db === undefined ? NOTHING : waitingEvents(db, name)])),
  );
}

/**
 * Reads the events of a source that wait, in the order they came, without opening the inbox for writing. Throws `state`.
 * @param work reads them while the inbox is open: a page of them is in memory
 */
export function peekPending<T>(state: string, source: string, work: (events: Iterable<Pending>) => T): T {
  return peek(state, (db) => {
    const pageFrom = (from: bigint) => (db === undefined ? [] : pendingPage(db, source, HIGHEST, from));
    return work(pendingIn(pageFrom, () => {}));
  });
}

function peek<T>(state: string, work: (db: DatabaseSync | undefined) => T): T {
  const path = inboxFile(state);
  const db = peekDatabase(path);
  try {
    return work(db);
  } catch (error) {
    throw inboxError(error, path);
  } finally {
    db?.close();
  }
}

const NOTHING: WaitingEvents = { count: 0, people: 0, oldest: undefined, last: undefined };

export function waitingEvents(db: DatabaseSync, source: string): WaitingEvents {
  const found = db
    .prepare(
      `SELECT count(*) AS count, count(DISTINCT subject) AS people, min(at) AS oldest,
        (SELECT at FROM source WHERE name = ?1) AS last FROM event WHERE source = ?1`,
    )
    .get(source);
  const { count, people, oldest, last } = found as { count: number; people: number; oldest: unknown; last: unknown };
  return { count, people, oldest: knownTime(oldest), last: knownTime(last) };
}

/** What others wrote in its place is no time. */
function knownTime(value: unknown): string | undefined {
  return typeof value === "string" && isInstant(value) ? value : undefined;
}
