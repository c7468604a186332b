import type { DatabaseSync } from "node:sqlite";
import type { Entry, RetrievalPrepared, RetrievalRefused } from "../audit/entry.ts";
import { type Statement, statement } from "./statement.ts";

/** One requested retrieval, according to the log. */
export interface RetrievalTold {
  /** RFC 3339 UTC. */
  readonly time: string;
  readonly run: string;
  /** `prepared`: a bag was made. Otherwise why nothing was handed out. */
  readonly outcome: "prepared" | RetrievalRefused["reason"];
  readonly subjects: readonly string[];
  readonly records: number;
  readonly files: number;
  /** A commitment to case, reason and requester. The words are in the bag. */
  readonly commitment: string;
  /** SHA-256 of the request that a second person signed, and their public key; null where one person was enough. */
  readonly request: string | null;
  readonly approvedBy: string | null;
}

/** Retrievals that were asked for, and the approved requests among them: one approval is for one bag. */
export class Retrievals {
  readonly #approved: Statement;
  readonly #preparedFor: Statement;
  readonly #insert: Statement;
  readonly #list: Statement;

  constructor(db: DatabaseSync) {
    this.#approved = statement(db, "INSERT OR IGNORE INTO approved VALUES (?, ?, ?)");
    this.#preparedFor = statement(db, "SELECT run, entry FROM approved WHERE request = ?");
    this.#insert = statement(db, "INSERT OR IGNORE INTO retrieval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#list = statement(
      db,
      `SELECT run, commitment, outcome, MIN(time) AS time, json_group_array(json(subjects)) AS subjects,
         SUM(records) AS records, SUM(files) AS files, request, approved_by AS approvedBy
       FROM retrieval GROUP BY run, commitment, outcome ORDER BY MAX(entry) DESC`,
    );
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    if (entry.type === "retrieval.prepared") {
      if (entry.request !== undefined) this.#approved.run(entry.request, entry.run, index);
      this.#note(index, entry, "prepared", entry.records, entry.files);
    } else if (entry.type === "retrieval.refused") this.#note(index, entry, entry.reason, 0, 0);
  }

  #note(
    index: number,
    entry: RetrievalPrepared | RetrievalRefused,
    outcome: RetrievalTold["outcome"],
    records: number,
    files: number,
  ): void {
    const { run, commitment, subjects, time, request = null } = entry;
    const approvedBy = entry.type === "retrieval.prepared" ? (entry.approvedBy ?? null) : null;
    this.#insert.run(
      ...[run, commitment, outcome, subjects[0] ?? "", index, time, JSON.stringify(subjects)],
      ...[records, files, request, approvedBy],
    );
  }

  /** The retrieval that used a request, by the request's SHA-256: its run, and its first entry. */
  preparedFor(request: string): { run: string; entry: number } | undefined {
    return this.#preparedFor.get(request) as { run: string; entry: number } | undefined;
  }

  /** All that were asked for, the last one first. */
  list(): RetrievalTold[] {
    const rows = this.#list.all() as (Omit<RetrievalTold, "subjects"> & { subjects: string })[];
    return rows.map((row) => ({ ...row, subjects: (JSON.parse(row.subjects) as string[][]).flat() }));
  }
}
