import { randomBytes } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { SignedLog } from "../audit/signed-log.ts";
import { syncFolder } from "../io/durable-file.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { Catalog } from "./catalog.ts";
import { SUFFIXES } from "./database.ts";
import { fillCatalog } from "./fill-catalog.ts";
import { stateError } from "./statement.ts";

/** A rebuild writes its file more often than this. */
const ABANDONED = Temporal.Duration.from({ hours: 1 }).total("milliseconds");

/**
 * Makes the catalog at `path` from the whole log: in a file beside it, which takes its place when it is complete and on
 * the disk. Until then, the former catalog stays, whatever happens. Throws `unverified` for an entry that does not belong
 * to the log.
 */
export async function rebuildCatalog(
  path: string,
  log: SignedLog,
  onEntries?: (done: number, total: number) => void,
): Promise<Catalog> {
  makePrivateFolder(dirname(path));
  await onDisk(path, () => dropAbandoned(path));
  const aside = `${path}.${randomBytes(4).toString("hex")}.new`;
  try {
    await Catalog.build(aside, log.origin, (catalog) => fillCatalog(catalog, log, onEntries));
    await onDisk(path, () => replace(path, aside));
  } catch (error) {
    await drop(aside).catch(() => {});
    throw error;
  }
  return Catalog.open(path, log.origin);
}

async function onDisk(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw stateError(error, path);
  }
}

/** The former database goes first, with its write-ahead log last: SQLite would apply that to the new one. */
async function replace(path: string, aside: string): Promise<void> {
  await drop(path);
  await rename(aside, path);
  await syncFolder(dirname(path));
}

async function drop(path: string): Promise<void> {
  for (const suffix of SUFFIXES) await rm(path + suffix, { force: true });
}

/** Deletes what killed rebuilds left. */
async function dropAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`) || !/\.[0-9a-f]{8}\.new(-wal|-shm)?$/.test(name)) continue;
    const changed = await stat(join(folder, name)).catch(() => undefined);
    if (changed && Date.now() - changed.mtimeMs > ABANDONED) await rm(join(folder, name), { force: true });
  }
}
