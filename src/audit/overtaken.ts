import { HoldfastError, hasCode } from "../error.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import type { AuditLog, Head, LogEntry } from "./log.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { inclusionProof, type ReadTile } from "./proof.ts";

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
 * What was purged since is left out too: it is gone, and the log says so. No purge is said twice.
 */
export async function toLogAgain(
  waiting: readonly LogEntry[],
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  holds: Holds,
): Promise<Uint8Array[]> {
  const missing = new Map(
    waiting
      .filter(({ bytes }) => !isPurge(readEntry(bytes)))
      .map(({ bytes }) => [leafHash(bytes).toString("hex"), bytes]),
  );
  const topics = new Set([...missing.values()].flatMap(topicOf));
  const since: LogEntry[] = [];
  const purged = new Set<string>();
  for await (const entry of log.entries(waiting[0]!.index, head.size)) {
    const leaf = leafHash(entry.bytes).toString("hex");
    if (missing.has(leaf) && (await holds(entry))) missing.delete(leaf);
    else if (topicOf(entry.bytes).some((topic) => topics.has(topic))) {
      const read = readEntry(entry.bytes);
      if (!isPurge(read)) since.push(entry);
      else if (read?.type === "record.purged" && (await holds(entry)))
        for (const { key } of read.objects) purged.add(key);
    }
  }
  const isPurged = (bytes: Uint8Array): boolean => storedKeysOf(bytes).some((key) => purged.has(key));
  for (const [leaf, bytes] of missing) if (isPurged(bytes)) missing.delete(leaf);
  const again = waiting.map(({ bytes }) => bytes).filter((bytes) => missing.has(leafHash(bytes).toString("hex")));
  const still = new Set(again.flatMap(topicOf));
  for (const entry of since.filter(
    ({ bytes }) => !isPurged(bytes) && topicOf(bytes).some((topic) => still.has(topic)),
  )) {
    // It will be signed a second time.
    if (!(await holds(entry))) throw unverified(entry.index);
    again.push(entry.bytes);
  }
  return again;
}

/** What an entry is the last word on; nothing where the order of several does not matter. */
function topicOf(bytes: Uint8Array): string[] {
  const entry = readEntry(bytes);
  if (entry === null || entry.type === "record.failed") return [];
  if (entry.type === "policy.changed" || entry.type === "recipients.changed") return [entry.type];
  return "subject" in entry ? [entry.subject] : [];
}

function isPurge(entry: Entry | null): boolean {
  return entry?.type === "purge.begun" || entry?.type === "purge.withdrawn" || entry?.type === "record.purged";
}

/** Objects that an entry says were stored or locked; what it only lists was stored by an entry before. */
function storedKeysOf(bytes: Uint8Array): string[] {
  const entry = readEntry(bytes);
  if (entry?.type === "record.stored" || entry?.type === "record.files") {
    const own = entry.files.filter(({ storedWith }) => storedWith === undefined);
    return [...("object" in entry ? [entry.object] : []), ...own].map(({ key }) => key);
  }
  return entry?.type === "lock.extended" ? entry.objects.map(({ key }) => key) : [];
}

function readEntry(bytes: Uint8Array): Entry | null {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (hasCode(error, "malformed")) return null;
    throw error;
  }
}

function unverified(index: number): HoldfastError {
  return new HoldfastError("unverified", `entry ${index} of the audit log is not the one that its checkpoint covers`, {
    mend: "Run verify to see which object was changed; its earlier versions are in the vault.",
  });
}
