import { statSync, utimesSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { isDamaged } from "./statement.ts";

/**
 * Checking every page takes longer the larger a catalog is: half a minute for ten million people. It can be left out
 * after an orderly end: the file remembers a time, and that is also when it was last changed, as the system says. Any
 * write since then changes that time: by a process that was killed, a copy that stopped half-way, another program.
 * Damage that the disk does is found when its page is read.
 */

/** From now on this process may write the file. */
export function noteOpened(db: DatabaseSync): void {
  db.exec("UPDATE log SET closed = NULL WHERE closed IS NOT NULL");
}

/** Closes the file in order. If that fails, the next process checks every page. */
export function closeInOrder(db: DatabaseSync, path: string): void {
  let closed: number | undefined;
  try {
    if (!isDamaged(db)) {
      // A whole second, as every file system can keep it.
      closed = Math.floor(statSync(path).mtimeMs / 1000);
      db.prepare("UPDATE log SET closed = ?").run(closed);
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
  } catch {
    closed = undefined;
  }
  db.close();
  if (closed === undefined) return;
  try {
    utimesSync(path, closed, closed);
  } catch {
    // As above.
  }
}

/** Whether it was closed in order, and no one has written it since. */
export function isUntouched(db: DatabaseSync, path: string): boolean {
  const { closed } = db.prepare("SELECT closed FROM log").get() as { closed: number | null };
  return closed !== null && statSync(path, { bigint: true }).mtimeNs === BigInt(closed) * 1_000_000_000n;
}
