import { HoldfastError, hasCode } from "../core/error.ts";
import type { AuditLog, Head, LogEntry } from "./log.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { inclusionProof, type ReadTile } from "./proof.ts";
import { withMarkers } from "./resumed.ts";
import { isPurge, readSaid, type Said, storedName, topicOf } from "./said.ts";
import { Since } from "./since.ts";

/** Whether the log has these bytes at this index, proven against the head's root. */
export type IsInLog = (entry: LogEntry) => Promise<boolean>;

/** Caches tiles: the next entry is probably in them. */
export function proving(log: AuditLog, { size, root }: Pick<Head, "size" | "root">): IsInLog {
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
 * Chooses which journal entries to log after another machine overtook this one, so that the log has other entries at
 * their indexes. No checkpoint ever covered them, but what they say did happen. So they are appended to the current
 * log, with their original time and run.
 *
 * For readers, the last statement about a subject counts. So what the log has since said about the same subjects is
 * repeated after these entries. Repeating a statement changes nothing.
 *
 * Omitted are entries that the log already has byte for byte, and the begin of a purge: nothing is removed before the
 * log has it. Also omitted is what was purged since or is being purged (`Since`), and what depends on that. If anything
 * of anyone was purged since, markers tell readers that older entries follow (`withMarkers`).
 */
export async function toLogAgain(
  waiting: readonly LogEntry[],
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  holds: IsInLog,
  now: Temporal.Instant,
): Promise<Uint8Array[]> {
  const missing = new Map<string, Said>();
  for (const said of waiting.map(readSaid)) if (!isPurge(said.entry)) missing.set(said.leaf, said);
  const topics = new Set([...missing.values()].flatMap(topicOf));
  const since = new Since();
  let isBehindPurge = false;
  for await (const logged of log.entries(waiting[0]!.index, head.size)) {
    const said = readSaid(logged);
    // Entries that a third machine logged again may be older than a purge before these indexes.
    isBehindPurge ||= isPurge(said.entry) || said.entry?.type === "journal.resumed";
    if (missing.has(said.leaf) && (await holds(logged))) missing.delete(said.leaf);
    else if (topicOf(said).some((topic) => topics.has(topic))) {
      // A purge entry decides what to omit, so prove it first: a forged one must not hide anything.
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
    // It will be signed again, so prove it first.
    if (!(await holds(said))) throw unverified(said.index);
    again.push(said);
  }
  return isBehindPurge ? withMarkers(again, now) : again.map(({ bytes }) => bytes);
}

/**
 * The `record.files` entries of the given records, by `storedName`. They may be anywhere before the record's own entry, so
 * those of a waiting record may be in the log already. Reads the whole log if there is such a record.
 */
async function announced(
  said: readonly Said[],
  log: AuditLog,
  head: Pick<Head, "size">,
  holds: IsInLog,
): Promise<Map<string, Said[]>> {
  const names = said.flatMap(({ entry }) =>
    entry?.type === "record.stored" && entry.moreFiles ? storedName(entry) : [],
  );
  const found = new Map(names.map((name) => [name, new Map<string, Said>()]));
  const note = (each: Said): boolean => {
    const of = each.entry?.type === "record.files" ? found.get(storedName(each.entry)) : undefined;
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
  return new HoldfastError("unverified", `entry ${index} of the audit log does not match its signed checkpoint`, {
    hint: "Run `holdfast verify` to see which object was changed. Its earlier versions are in the vault.",
  });
}
