import type { DatabaseSync } from "node:sqlite";
import { placeOf, stateError, statement } from "./statement.ts";

/** Runs work on the catalog completely or not at all. */
export type Transaction = (work: () => void) => void;

export function transactions(db: DatabaseSync): Transaction {
  const begin = statement(db, "BEGIN IMMEDIATE");
  const commit = statement(db, "COMMIT");
  const rollback = statement(db, "ROLLBACK");
  return (work) => {
    try {
      begin.run();
      work();
      commit.run();
    } catch (error) {
      if (db.isTransaction) rollback.run();
      throw stateError(error, placeOf(db));
    }
  };
}
