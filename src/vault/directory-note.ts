import { HoldfastError } from "../core/error.ts";
import type { Lock } from "./vault.ts";

/** The metadata file beside a version: digest, lock and hold. */
export interface Meta {
  readonly sha256: string | null;
  readonly lock: Lock | null;
  readonly hold: boolean;
}

/** The largest metadata file, in bytes. */
export const MAX_METADATA = 4096;

/** A version's name: its number. */
export const VERSION = /^\d{8,}$/;

/** Picks the versions from a folder's names, oldest first. */
export function versionsIn(names: readonly string[]): string[] {
  return names.filter((name) => VERSION.test(name)).sort(byNumber);
}

/**
 * Version numbers that have a metadata file. It stays when its version is deleted, so a number is never used twice.
 */
export function notesIn(names: readonly string[]): string[] {
  const noted = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  return versionsIn(noted);
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}

/** Parses an untrusted metadata file. Throws `malformed`. */
export function parseMeta(text: string, key: string): Meta {
  try {
    const { sha256, lock, hold } = JSON.parse(text);
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256) || typeof hold !== "boolean")
      throw new Error("unexpected fields");
    return {
      sha256,
      lock: lock === null ? null : { mode: modeOf(lock.mode), until: Temporal.Instant.from(lock.until) },
      hold,
    };
  } catch (error) {
    throw new HoldfastError("malformed", `${key}: its metadata file is invalid`, { cause: error });
  }
}

function modeOf(mode: unknown): Lock["mode"] {
  if (mode !== "governance" && mode !== "compliance") throw new Error("unknown lock mode");
  return mode;
}
