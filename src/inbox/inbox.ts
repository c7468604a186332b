import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { timestamp } from "../core/timestamp.ts";
import { inboxError, inboxFile, openDatabase } from "./database.ts";
import { HIGHEST, NUMBERED, type Pending, pendingIn, pendingPage } from "./pending.ts";
import { type WaitingEvents, waitingEvents } from "./waiting.ts";

/** One person whom a verified event names. */
export interface Named {
  /** Their token. */
  readonly subject: string;
  /** The provider's id, closed. */
  readonly handle: string;
}

/** A verified delivery, as it is kept: nothing of its body. */
export interface Arrival {
  /** The source's name in the config. */
  readonly source: string;
  /** SHA-256 of what tells this delivery from others, which its signature covers. */
  readonly key: Uint8Array;
  readonly kind: string;
  readonly isErasure: boolean;
  /** Those whom it names; empty if it names no one. */
  readonly named: readonly Named[];
}

export interface Untried {
  /** Tells this file from one that was made in its place: there, numbers begin again. */
  readonly file: number;
  /** By source, the number of the newest event. */
  readonly newest: ReadonlyMap<string, number>;
}

/** How long a repetition is known. Providers repeat for 7 days at most. */
const KEPT = Temporal.Duration.from({ hours: 8 * 24 });
/** How often old deliveries are removed, in ms. */
const TRIM = 3_600_000;
/** More events than this at once are not accepted: no run has looked at them for long. */
const MOST_PENDING = 200_000;

export type ArrivalOutcome = "taken" | "duplicate" | "full";

/**
 * What providers' webhooks said about one client's people and no run has looked at yet: a small SQLite file in the state,
 * which a receiver fills and exports empty. It is no record of anything: only a reason to ask the provider.
 */
export class Inbox {
  readonly path: string;
  readonly #most: number;
  #open: { readonly db: DatabaseSync; readonly file: number } | undefined;
  #trimmed = Number.NEGATIVE_INFINITY;

  /** @param state the client's state folder */
  constructor(state: string, { most = MOST_PENDING }: { readonly most?: number } = {}) {
    this.path = inboxFile(state);
    this.#most = most;
  }

  /**
   * Takes deliveries, all in one transaction: they are on the disk when this returns. Of each, whether it was taken, or came
   * before. Throws `state`; then none was taken.
   */
  append(arrivals: readonly Arrival[], now: Temporal.Instant): ArrivalOutcome[] {
    return this.#transaction((db) => {
      const at = timestamp(now);
      this.#trim(db, now);
      makeRoomForNumbers(db);
      const know = db.prepare("INSERT OR IGNORE INTO delivery VALUES (?, ?, ?)");
      const forget = db.prepare("DELETE FROM delivery WHERE source = ? AND key = ?");
      const add = db.prepare(
        "INSERT INTO event (source, subject, handle, kind, at, erasure) VALUES (?, ?, ?, ?, ?, ?)",
      );
      const note = db.prepare("INSERT INTO source VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at");
      let room = this.#most - (db.prepare("SELECT count(*) AS count FROM event").get() as { count: number }).count;
      return arrivals.map(({ source, key, kind, isErasure, named }) => {
        note.run(source, at);
        if (know.run(source, key, at).changes === 0) return "duplicate";
        if (room < named.length) {
          forget.run(source, key);
          return "full";
        }
        for (const { subject, handle } of named) add.run(source, subject, handle, kind, at, Number(isErasure));
        room -= named.length;
        return "taken";
      });
    });
  }

  /** The newest event of each source with any, by a number that only grows. */
  newest(): ReadonlyMap<string, number> {
    return this.#newestWhere(NUMBERED);
  }

  /** The same of the events that no run has tried to settle. Makes no file; undefined if it is missing. */
  untried(): Untried | undefined {
    if (statSync(this.path, { throwIfNoEntry: false }) === undefined) return undefined;
    const newest = this.#newestWhere(`tries = 0 AND ${NUMBERED}`);
    return { file: this.#open!.file, newest };
  }

  /**
   * The events of a source up to one of these numbers, in the order they came; a page of them is in memory.
   * `onInvalid` is called with the number of each that Holdfast did not write.
   * @param untriedAfter only of people with an untried event after this number
   */
  pending(source: string, upTo: number, onInvalid: (id: bigint) => void, untriedAfter?: number): Iterable<Pending> {
    return pendingIn((from) => this.#read((db) => pendingPage(db, source, upTo, from, untriedAfter)), onInvalid);
  }

  /** Removes events that no run can ever settle. */
  remove(ids: readonly (number | bigint)[]): void {
    this.#transaction((db) => {
      const remove = db.prepare("DELETE FROM event WHERE id = ?");
      for (const id of ids) remove.run(id);
    });
  }

  /** Removes a person's events up to this number: a run has settled what they asked for. Returns how many. */
  settle(source: string, subject: string, upTo: number): number {
    return this.#transaction((db) =>
      Number(
        db.prepare("DELETE FROM event WHERE source = ? AND subject = ? AND id <= ?").run(source, subject, upTo).changes,
      ),
    );
  }

  /** A run has tried, and must again. */
  retry(source: string, subject: string, upTo: number): void {
    this.#transaction((db) =>
      db
        .prepare("UPDATE event SET tries = min(tries + 1, ?) WHERE source = ? AND subject = ? AND id <= ?")
        .run(HIGHEST, source, subject, upTo),
    );
  }

  /** How many events of a source wait, and since when. */
  waiting(source: string): WaitingEvents {
    return this.#read((db) => waitingEvents(db, source));
  }

  close(): void {
    this.#open?.db.close();
    this.#open = undefined;
  }

  #newestWhere(condition: string): ReadonlyMap<string, number> {
    const rows = this.#read((db) =>
      db.prepare(`SELECT source, max(id) AS id FROM event WHERE ${condition} GROUP BY source`).all(),
    );
    return new Map((rows as { source: string; id: number }[]).map(({ source, id }) => [source, id]));
  }

  #trim(db: DatabaseSync, now: Temporal.Instant): void {
    if (now.epochMilliseconds - this.#trimmed < TRIM && now.epochMilliseconds >= this.#trimmed) return;
    db.prepare("DELETE FROM delivery WHERE at < ?").run(timestamp(now.subtract(KEPT)));
    this.#trimmed = now.epochMilliseconds;
  }

  #transaction<T>(work: (db: DatabaseSync) => T): T {
    const db = this.#db();
    try {
      db.exec("BEGIN IMMEDIATE");
      const done = work(db);
      db.exec("COMMIT");
      return done;
    } catch (error) {
      // Whatever was wrong with the file, the next call opens it again.
      this.close();
      throw inboxError(error, this.path);
    }
  }

  #read<T>(work: (db: DatabaseSync) => T): T {
    try {
      return work(this.#db());
    } catch (error) {
      throw inboxError(error, this.path);
    }
  }

  /** A file that someone removed is still written to without an error, so look first. */
  #db(): DatabaseSync {
    const now = statSync(this.path, { throwIfNoEntry: false })?.ino;
    if (this.#open !== undefined && this.#open.file !== now) this.close();
    this.#open ??= { db: openDatabase(this.path), file: statSync(this.path).ino };
    return this.#open.db;
  }
}

/** Numbers only grow, so one that others wrote may leave none for new events. */
function makeRoomForNumbers(db: DatabaseSync): void {
  db.prepare("DELETE FROM event WHERE id > ?").run(HIGHEST);
  db.prepare(
    "UPDATE sqlite_sequence SET seq = (SELECT ifnull(max(id), 0) FROM event) WHERE name = 'event' AND seq NOT BETWEEN 0 AND ?",
  ).run(HIGHEST);
}
