import { HoldfastError, hasCode } from "../core/error.ts";
import type { AuditLog, Head, LogEntry } from "./log.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { inclusionProof, type ReadTile } from "./proof.ts";
import { withMarkers } from "./resumed.ts";
import { isPurge, nameOf, readSaid, type Said, topicOf } from "./said.ts";
import { Since } from "./since.ts";

/** Whether the log holds these bytes at this place: proven under the head, whatever its tiles say. */
export type Holds = (entry: LogEntry) => Promise<boolean>;

/** Tiles are kept: neighbours are in them too. */
export function proving(log: AuditLog, { size, root }: Pick<Head, "size" | "root">): Holds {
  const tiles = new Map<string, Promise<Uint8Array>>();
  const read: ReadTile = (level, index, width) => {
    const key = `${level}/${index}`;
    const tile = tiles.get(key) ?? log.tile(level, index, width);
    tiles.set(key, tile);
    return tile;
  };
  return async ({ index, bytes }) => {
    if (index >= size) return false;
    try {
      verifyInclusion(leafHash(bytes), index, size, await inclusionProof(index, size, read), root);
      return true;
    } catch (error) {
      if (hasCode(error, "unverified")) return false;
      throw error;
    }
  };
}

/**
 * What is to be logged of a journal that another machine overtook: the log has other entries in the places of these.
 * They were never covered by a checkpoint, and what they tell did happen, so they are logged again: behind what the log
 * has now, with the time and the run they were written with.
 *
 * Readers take the last statement of several as the one that holds. What the log has since said of the same subjects is
 * therefore said once more, behind them. Twice the same statement means no more than once.
 *
 * Left out is what the log has already to the byte, and a purge that began: until it is in the log nothing is removed.
 * What was purged since, or is being purged, is left out too (`Since`), and what cannot be said without that.
 * Where anything was purged since, of whomever, readers are told that older entries follow (`withMarkers`).
 */
export async function toLogAgain(
  waiting: readonly LogEntry[],
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  holds: Holds,
  now: Temporal.Instant,
): Promise<Uint8Array[]> {
  const missing = new Map<string, Said>();
  for (const said of waiting.map(readSaid)) if (!isPurge(said.entry)) missing.set(said.leaf, said);
  const topics = new Set([...missing.values()].flatMap(topicOf));
  const since = new Since();
  let isBehindPurge = false;
  for await (const logged of log.entries(waiting[0]!.index, head.size)) {
    const said = readSaid(logged);
    // What a third machine logged again may be older than a purge that came before the places of these.
    isBehindPurge ||= isPurge(said.entry) || said.entry?.type === "journal.resumed";
    if (missing.has(said.leaf) && (await holds(logged))) missing.delete(said.leaf);
    else if (topicOf(said).some((topic) => topics.has(topic))) {
      // It says what is gone, so nothing is left out for an entry that was slipped in.
      if (isPurge(said.entry) && !(await holds(logged))) throw unverified(logged.index);
      since.add(said);
    }
  }
  const mine = [...missing.values()];
  const files = await announced([...mine, ...since.said], log, head, holds);
  const again = since.without(mine, files);
  const still = new Set(again.flatMap(topicOf));
  for (const said of since.repeatable(files)) {
    if (!topicOf(said).some((topic) => still.has(topic))) continue;
    // It will be signed a second time.
    if (!(await holds(said))) throw unverified(said.index);
    again.push(said);
  }
  return isBehindPurge ? withMarkers(again, now) : again.map(({ bytes }) => bytes);
}

/**
 * The `record.files` entries of records that have some, by `nameOf`. They may stand anywhere before the record's own
 * entry: those of one that is waiting may be in the log already. The whole log is read, where there is such a record.
 */
async function announced(
  said: readonly Said[],
  log: AuditLog,
  head: Pick<Head, "size">,
  holds: Holds,
): Promise<Map<string, Said[]>> {
  const names = said.flatMap(({ entry }) => (entry?.type === "record.stored" && entry.moreFiles ? nameOf(entry) : []));
  const found = new Map(names.map((name) => [name, new Map<string, Said>()]));
  const note = (each: Said): boolean => {
    const of = each.entry?.type === "record.files" ? found.get(nameOf(each.entry)) : undefined;
    if (of === undefined || of.has(each.leaf)) return false;
    of.set(each.leaf, each);
    return true;
  };
  if (found.size > 0) {
    for await (const logged of log.entries(0, head.size)) {
      if (note(readSaid(logged)) && !(await holds(logged))) throw unverified(logged.index);
    }
  }
  for (const each of said) note(each);
  return new Map([...found].map(([name, of]) => [name, [...of.values()]]));
}

function unverified(index: number): HoldfastError {
  return new HoldfastError("unverified", `entry ${index} of the audit log is not the one that its checkpoint covers`, {
    hint: "Run `holdfast verify` to see which object was changed; its earlier versions are in the vault.",
  });
}
