import { type Entry, encodeEntry } from "./entry.ts";
import type { Said } from "./said.ts";

/**
 * Entries that can make something due or lift what keeps it. Under an old date one would look as if it had been known
 * before a purge, so these are never logged again under theirs. All others only add to what is kept: a record or a file
 * that is logged again is kept for no shorter, a lock ends no earlier, a hold stands, a relationship goes on.
 */
const LEADS_TO_PURGE: ReadonlySet<Entry["type"]> = new Set(["relationship.ended", "hold.released", "policy.changed"]);

export function leadsToPurge({ type }: Entry): boolean {
  return LEADS_TO_PURGE.has(type);
}

/**
 * What is logged again behind a purge may be days older than that. A reader would take it for a sign that the purge was
 * dated ahead. So entries of one run in a row come behind a `journal.resumed` of that run, which has the present time
 * and tells their number. A run that is still to come cannot be named: no marker written before it covers its entries.
 */
export function withMarkers(again: readonly Said[], now: Temporal.Instant): Uint8Array[] {
  const time = now.toString({ smallestUnit: "millisecond" });
  const parts: { run: string | undefined; bytes: Uint8Array[] }[] = [];
  for (const { entry, bytes } of again) {
    // What this version cannot read stands alone: no one can say what it may lead to.
    const run = entry?.run;
    if (parts.length === 0 || parts.at(-1)!.run !== run) parts.push({ run, bytes: [] });
    parts.at(-1)!.bytes.push(entry && leadsToPurge(entry) ? datedNow(bytes, time) : bytes);
  }
  return parts.flatMap(({ run, bytes }) => {
    if (run === undefined) return bytes;
    return [encodeEntry({ type: "journal.resumed", time, run, count: bytes.length }), ...bytes];
  });
}

/** All else as it was, members that this version does not know included. */
function datedNow(bytes: Uint8Array, time: string): Uint8Array {
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...value, time }));
}
