import { type Entry, encodeEntry } from "./entry.ts";
import type { Said } from "./said.ts";

/**
 * Entries that can make something due for a purge or remove its protection. With their old date they would seem known
 * before a purge, so they are logged again with today's date. All other entries only add protection: they never shorten
 * how long a record or file is kept, end a lock earlier, release a hold or end a relationship.
 */
const LEADS_TO_PURGE: ReadonlySet<Entry["type"]> = new Set(["relationship.ended", "hold.released", "policy.changed"]);

export function leadsToPurge({ type }: Entry): boolean {
  return LEADS_TO_PURGE.has(type);
}

/**
 * Entries logged again after a purge may be days older than the purge. To a reader, the purge would then seem to be
 * dated ahead. So each sequence of entries of one run gets a `journal.resumed` of that run in front, with the current
 * time and their number. A marker cannot cover entries of a future run, because it must name the run.
 */
export function withMarkers(again: readonly Said[], now: Temporal.Instant): Uint8Array[] {
  const time = now.toString({ smallestUnit: "millisecond" });
  const parts: { run: string | undefined; bytes: Uint8Array[] }[] = [];
  for (const { entry, bytes } of again) {
    // An entry that this version cannot read gets no marker: its consequences are unknown.
    const run = entry?.run;
    if (parts.length === 0 || parts.at(-1)!.run !== run) parts.push({ run, bytes: [] });
    parts.at(-1)!.bytes.push(entry && leadsToPurge(entry) ? datedNow(bytes, time) : bytes);
  }
  return parts.flatMap(({ run, bytes }) => {
    if (run === undefined) return bytes;
    return [encodeEntry({ type: "journal.resumed", time, run, count: bytes.length }), ...bytes];
  });
}

/** Changes only the time. Keeps everything else, including members that this version does not know. */
function datedNow(bytes: Uint8Array, time: string): Uint8Array {
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...value, time }));
}
