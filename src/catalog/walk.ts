import type { DatabaseSync } from "node:sqlite";
import { NumberSet } from "./number-set.ts";
import { bytesOf, hexOf, personOf, projectOf, versionBytes, versionText } from "./packing.ts";
import type { Relationships } from "./relationships.ts";
import { statement } from "./statement.ts";
import type { Known } from "./subjects.ts";
import { instantOf } from "./time.ts";
import type { Transaction } from "./transaction.ts";

/** Someone in the vault whom a walk met. `handle` closes the provider's id. */
export interface Met {
  readonly subject: string;
  readonly known: Known;
  readonly handle: () => string;
  /** The list's entry as received and what it says, for the next walk. */
  readonly said?: Said | undefined;
}

interface Said {
  /** `Tokens.entry` */
  readonly entry: string;
  /** `Tokens.listed` */
  readonly listed: string;
}

/** An entry of the list that is not parsed. */
export interface UnparsedMet {
  /** Whose it seems to be. */
  readonly subject: string;
  /** `Tokens.entry` */
  readonly entry: string;
}

export interface Same {
  /** Positions among those asked about. */
  readonly at: readonly number[];
  /** When the provider last changed one of them (RFC 3339 UTC). */
  readonly updated: string | undefined;
}

/** What the walks of the sources met, and what its list said. It only saves requests: nothing is lost without it. */
export class Walks {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #transaction: Transaction;
  readonly #relationships: Relationships;
  /** Subjects that the walk has met, by `Known.entry`. In memory, because an interrupted walk proves nothing. */
  #met = new NumberSet();

  constructor(db: DatabaseSync, transaction: Transaction, relationships: Relationships) {
    this.#statements = prepare(db);
    this.#transaction = transaction;
    this.#relationships = relationships;
  }

  /** Starts a walk of the whole source. What it meets is noted, so that at its end we know what it missed. */
  begin(): void {
    this.#met = new NumberSet();
  }

  /** A subject that was just stored counts as met, too. */
  noteStored(entry: number): void {
    this.#met.add(entry);
  }

  /** Whether this walk has met a subject. */
  hasMet({ entry }: Pick<Known, "entry">): boolean {
    return this.#met.has(entry);
  }

  /**
   * A walk of this source, or its answer, showed these. On most nights this writes nothing.
   * @param answered the source answered for them: its list may still show someone whom it does not have
   */
  noteMet(met: readonly Met[], source: string, answered = false): void {
    for (const { known } of met) this.#met.add(known.entry);
    const { project = null } = (this.#statements.project.get(source) ?? {}) as { project?: string };
    const news = met.filter(
      ({ known }) => known.missed > 0 || known.gone !== null || known.project !== project || known.located === 0,
    );
    if (news.length === 0 && met.every(({ said }) => said === undefined)) return;
    // Entries of record/1 name no project, and their vault had one: the project that shows one of them has them all.
    // Else those it no longer shows would never be found gone.
    const hasRecord1 = news.some(({ known }) => known.project === null && known.located === 0);
    this.#transaction(() => {
      if (hasRecord1) this.#statements.adopt.run(project);
      for (const { subject, handle } of news) this.#statements.met.run(project, handle(), Number(answered), subject);
      for (const { subject, said } of met) if (said) this.#statements.said.run(said.entry + said.listed, subject);
    });
  }

  /**
   * Finds entries of this source's list that need not be parsed: they are, byte for byte, as they were when they said what
   * the catalog has. Their subjects count as met; where the catalog would note more than that, they are left out.
   */
  noteSame(entries: readonly UnparsedMet[], source: string): Same {
    const at: number[] = [];
    let last = "";
    const asked = JSON.stringify(entries.map(({ subject, entry }) => subject + entry));
    for (const [place, entry, updated] of this.#statements.same.all(asked, source) as [number, number, string][]) {
      this.#met.add(entry);
      at.push(place);
      if (updated > last) last = updated;
    }
    return { at, updated: last === "" ? undefined : instantOf(last) };
  }

  /** A record/1 is still all that the provider says; this is its content, as a version of record/2. */
  noteContent(subject: string, content: string): void {
    this.#statements.content.run(content, subject);
  }

  /** What a glance at this subject would say, once that content is known to be kept. */
  noteGlance(subject: string, glance: string): void {
    this.#statements.glance.run(glance, subject);
  }

  /** The last attempt at this subject did not fail, whatever the log says of earlier ones. */
  noteSettled(subject: string): void {
    this.#statements.settled.run(subject);
  }

  /** What the list says about a subject, once that content is known to be kept. */
  noteListed(subject: string, listed: string): void {
    this.#transaction(() => {
      this.#statements.listed.run(listed, subject);
      this.#relationships.noteDeparted(subject, listed);
    });
  }

  /**
   * After a complete walk of a source: everyone it had shown before and did not meet was missed once more. Returns those
   * missed by `times` walks in a row that are not marked as gone yet. One walk is no proof, because pages may shift
   * while they are read.
   */
  end(source: string, times: number): { subject: string; version: string }[] {
    const missed: number[] = [];
    for (const row of this.#statements.present.iterate(source)) {
      const { entry, person } = row as { person: number; entry: number };
      if (!this.#met.has(entry)) missed.push(person);
    }
    if (missed.length === 0) return [];
    const often: { subject: string; version: string }[] = [];
    this.#transaction(() => {
      for (const person of missed) {
        const { missed, ...subject } = this.#statements.missed.get(person) as (typeof often)[number] & {
          missed: number;
        };
        if (missed >= times) often.push(subject);
      }
    });
    return often.sort((a, b) => (a.subject < b.subject ? -1 : 1));
  }
}

function prepare(db: DatabaseSync) {
  const at = `WHERE person = ${personOf()}`;
  return {
    project: statement(db, "SELECT project FROM source WHERE name = ?"),
    // A missed subject is back. A deleted one is once the source answers for it, and a redacted one once it has content.
    met: statement(
      db,
      `UPDATE subject SET missed = 0, project = (SELECT id FROM word WHERE word = ?1), handle = coalesce(handle, ?2),
         gone = CASE WHEN gone = 'redacted' OR (gone = 'deleted' AND ?3 = 0) THEN gone END
       WHERE person = ${personOf("?4")}`,
    ),
    adopt: statement(
      db,
      `UPDATE subject SET project = (SELECT id FROM word WHERE word = ?) WHERE project IS NULL AND handle IS NULL`,
    ),
    content: statement(db, `UPDATE subject SET content = ${versionBytes()} ${at}`),
    glance: statement(db, `UPDATE subject SET glance = ${bytesOf()} ${at}`),
    settled: statement(db, "DELETE FROM failure WHERE subject = ?"),
    listed: statement(db, `UPDATE subject SET listed = ${versionBytes()} ${at}`),
    // A token with what that entry says: it is of no use once `listed` is another, whatever changed it.
    said: statement(
      db,
      `UPDATE subject SET said = ${versionBytes("?1")} WHERE person = ${personOf("?2")} AND said <> ${versionBytes("?1")}`,
    ),
    same: statement(
      db,
      `SELECT asked.key, entry, hex(substr(listed, 1, 7)) FROM json_each(?1) AS asked
       CROSS JOIN person ON person.subject = ${bytesOf("substr(asked.value, 1, 32)")}
       CROSS JOIN subject ON subject.person = person.id
       WHERE substr(said, 1, 12) = ${bytesOf("substr(asked.value, 33)")} AND substr(said, 13) = listed
         AND gone IS NULL AND missed = 0 AND handle IS NOT NULL AND project IS (
           SELECT word.id FROM source LEFT JOIN word ON word.word = source.project WHERE source.name = ?2)`,
      { arrays: true },
    ),
    present: statement(db, `SELECT person, entry FROM subject WHERE gone IS NULL AND project = ${projectOf()}`),
    missed: statement(
      db,
      `UPDATE subject SET missed = missed + 1 WHERE person = ?
       RETURNING (SELECT ${hexOf("subject")} FROM person WHERE id = subject.person) AS subject,
         ${versionText("version")} AS version, missed`,
    ),
  };
}
