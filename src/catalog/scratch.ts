import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makePrivateFolder } from "../io/private-folder.ts";
import { stateError } from "./statement.ts";

/**
 * Tables that last for one command, so that its memory does not grow with what it reads. The file at `path` loses its
 * name at once, and disappears when the process ends in any way. `:memory:` keeps the tables in memory.
 */
export function scratch(path: string, tables: string): DatabaseSync {
  try {
    if (path !== ":memory:") makePrivateFolder(dirname(path));
    rmSync(path, { force: true });
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; ${tables}`);
    rmSync(path, { force: true });
    return db;
  } catch (error) {
    throw stateError(error, path);
  }
}
