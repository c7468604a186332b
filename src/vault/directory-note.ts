import { HoldfastError } from "../core/error.ts";
import type { Lock } from "./vault.ts";

/** What is noted beside a version: its digest, lock and hold. */
export interface Meta {
  readonly sha256: string | null;
  readonly lock: Lock | null;
  readonly hold: boolean;
}

/** Bytes of the longest note. */
export const MAX_NOTE = 4096;

/** A version's name: its number. */
export const VERSION = /^\d{8,}$/;

/** The versions among the names of a folder, oldest first. */
export function versionsIn(names: readonly string[]): string[] {
  return names.filter((name) => VERSION.test(name)).sort(byNumber);
}

/** Numbers ever given to a version, as far as their notes are written: a note outlives what it describes. */
export function notesIn(names: readonly string[]): string[] {
  const noted = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  return versionsIn(noted);
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}

/** Untrusted text of a note. Throws malformed. */
export function parseMeta(text: string, key: string): Meta {
  try {
    const { sha256, lock, hold } = JSON.parse(text);
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256) || typeof hold !== "boolean")
      throw new Error("not as it is written");
    return {
      sha256,
      lock: lock === null ? null : { mode: modeOf(lock.mode), until: Temporal.Instant.from(lock.until) },
      hold,
    };
  } catch (error) {
    throw new HoldfastError("malformed", `${key}: the note of its digest and lock does not parse`, { cause: error });
  }
}

function modeOf(mode: unknown): Lock["mode"] {
  if (mode !== "governance" && mode !== "compliance") throw new Error("unknown lock mode");
  return mode;
}
