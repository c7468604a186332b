import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { isInstant, timestamp } from "../core/timestamp.ts";
import { inboxError, openDatabase, peekDatabase } from "./database.ts";

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

/** An event that no run has settled yet. */
export interface Pending extends Named {
  /** Its number in the inbox. */
  readonly id: number;
  readonly at: string;
  readonly isErasure: boolean;
  readonly tries: number;
}

/** How long a repetition is known. Providers repeat for 7 days at most. */
const KEPT = Temporal.Duration.from({ hours: 8 * 24 });
/** How often old deliveries are removed, in ms. */
const TRIM = 3_600_000;
/** More events than this at once are not accepted: no run has looked at them for long. */
const MOST_PENDING = 200_000;

const instant = z.string().refine(isInstant);
/** What may be in the file is as untrusted as anything that others can write. */
const row = z.object({
  id: z.int(),
  subject: z.string().regex(/^[0-9a-f]{32}$/),
  handle: z.string().regex(/^[A-Za-z0-9_-]{38,2000}$/),
  at: instant,
  isErasure: z.int().transform((value) => value === 1),
  tries: z.int().min(0),
});

/** Rows read at once. */
const PAGE = 1000;
const PENDING = `SELECT id, subject, handle, at, erasure AS isErasure, tries FROM event
  WHERE source = ?1 AND id <= ?2 AND (subject, id) > (?3, ?4)
  AND (?5 IS NULL OR subject IN (SELECT subject FROM event WHERE source = ?1 AND tries = 0 AND id > ?5 AND id <= ?2))
  ORDER BY subject, id LIMIT ${PAGE}`;

interface Numbered {
  readonly subject: string;
  readonly id: number;
}

export type Outcome = "taken" | "duplicate" | "full";

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
  append(arrivals: readonly Arrival[], now: Temporal.Instant): Outcome[] {
    return this.#transaction((db) => {
      const at = timestamp(now);
      this.#trim(db, now);
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
    const rows = this.#read((db) => db.prepare("SELECT source, max(id) AS id FROM event GROUP BY source").all());
    return new Map((rows as { source: string; id: number }[]).map(({ source, id }) => [source, id]));
  }

  /** The same of the events that no run has tried to settle. Makes no file; undefined if it is missing. */
  untried(): ReadonlyMap<string, number> | undefined {
    if (statSync(this.path, { throwIfNoEntry: false }) === undefined) return undefined;
    const rows = this.#read((db) =>
      db.prepare("SELECT source, max(id) AS id FROM event WHERE tries = 0 GROUP BY source").all(),
    );
    return new Map((rows as { source: string; id: number }[]).map(({ source, id }) => [source, id]));
  }

  /**
   * The events of a source up to one of these numbers, in the order of their subjects; a page of them is in memory.
   * `onInvalid` is called with the number of each that Holdfast did not write.
   * @param untriedAfter only of people with an untried event after this number
   */
  pending(source: string, upTo: number, onInvalid: (id: number) => void, untriedAfter?: number): Iterable<Pending> {
    const after = untriedAfter ?? null;
    return pendingIn((...from) => this.#read((db) => db.prepare(PENDING).all(source, upTo, ...from, after)), onInvalid);
  }

  /** Removes events that no run can ever settle. */
  remove(ids: readonly number[]): void {
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
        .prepare("UPDATE event SET tries = tries + 1 WHERE source = ? AND subject = ? AND id <= ?")
        .run(source, subject, upTo),
    );
  }

  /** How many events of a source wait, and since when. */
  waiting(source: string): Waiting {
    return this.#read((db) => waitingIn(db, source));
  }

  close(): void {
    this.#open?.db.close();
    this.#open = undefined;
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

function* pendingIn(
  pageAfter: (subject: string, id: number) => unknown[],
  onInvalid: (id: number) => void,
): Generator<Pending> {
  for (let [subject, id] = ["", 0]; ; ) {
    const page = pageAfter(subject, id) as Numbered[];
    for (const each of page) {
      const { success, data } = row.safeParse(each);
      if (success) yield data;
      else onInvalid(each.id);
    }
    if (page.length < PAGE) return;
    ({ subject, id } = page.at(-1)!);
  }
}

export function inboxFile(state: string): string {
  return join(state, "inbox.sqlite");
}

/** What waits of a source. */
export interface Waiting {
  readonly count: number;
  /** Whom these events name, each counted once. */
  readonly people: number;
  /** When the oldest arrived. */
  readonly oldest: string | undefined;
  /** When a verified event last arrived, also of those that are settled. */
  readonly last: string | undefined;
}

/** The same of these sources, without opening the inbox for writing. Throws `state`. */
export function peekInbox(state: string, sources: readonly string[]): ReadonlyMap<string, Waiting> {
  return peek(state, (db) => new Map(sources.map((name) => [name, db === undefined ? NOTHING : waitingIn(db, name)])));
}

/** The events of a source that wait, in the order of their subjects, without opening the inbox for writing. Throws `state`. */
export function peekPending(state: string, source: string): Pending[] {
  return peek(state, (db) => {
    const statement = db?.prepare(PENDING);
    const pageAfter = (...from: [string, number]) =>
      statement?.all(source, Number.MAX_SAFE_INTEGER, ...from, null) ?? [];
    return [...pendingIn(pageAfter, () => {})];
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

const NOTHING: Waiting = { count: 0, people: 0, oldest: undefined, last: undefined };

function waitingIn(db: DatabaseSync, source: string): Waiting {
  const found = db
    .prepare(
      `SELECT count(*) AS count, count(DISTINCT subject) AS people, min(at) AS oldest,
        (SELECT at FROM source WHERE name = ?1) AS last FROM event WHERE source = ?1`,
    )
    .get(source);
  const { count, people, oldest, last } = found as { count: number; people: number; oldest: unknown; last: unknown };
  return { count, people, oldest: instant.safeParse(oldest).data, last: instant.safeParse(last).data };
}
