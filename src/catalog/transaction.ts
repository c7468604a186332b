import type { DatabaseSync } from "node:sqlite";
import { databaseFile, stateError, statement } from "./statement.ts";

/** Runs work on the catalog completely or not at all. */
export type Transaction = (work: () => void) => void;

/** @param onUndone after a transaction that was undone */
export function transactions(db: DatabaseSync, onUndone: () => void): Transaction {
  const begin = statement(db, "BEGIN IMMEDIATE");
  const commit = statement(db, "COMMIT");
  const rollback = statement(db, "ROLLBACK");
  return (work) => {
    try {
      begin.run();
      work();
      commit.run();
    } catch (error) {
      onUndone();
      if (db.isTransaction) rollback.run();
      throw stateError(error, databaseFile(db));
    }
  };
}

/** For a file that is deleted after any failure: one transaction for all work, which `commit` ends. */
export function oneTransaction(db: DatabaseSync): { transaction: Transaction; commit: () => void } {
  const begin = statement(db, "BEGIN");
  const commit = statement(db, "COMMIT");
  return {
    transaction: (work) => {
      if (!db.isTransaction) begin.run();
      work();
    },
    commit: () => {
      if (db.isTransaction) commit.run();
    },
  };
}
