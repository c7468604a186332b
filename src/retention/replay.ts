import type { Entry, NotePurged, RecordFiles, RecordStored } from "../audit/entry.ts";
import { storedName } from "../audit/said.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { comparableTime } from "../catalog/time.ts";
import type { RetentionConfig } from "../config/config.ts";
import { CLOCKS } from "../core/clock.ts";
import { instant, isBefore } from "../core/timestamp.ts";
import { DatedAhead } from "./dated-ahead.ts";
import type { Fault } from "./fault.ts";
import { PurgeCheck } from "./purge-check.ts";
import { promisedOf, type Superseded } from "./superseded.ts";

export interface ReplayOptions {
  /** Empty at first. It holds the state before each entry: the caller applies the entries to it. */
  readonly index: Catalog;
  readonly superseded: Superseded;
  /**
   * For purges before the log's first policy: old logs have none. Undefined: such a purge is not checked against a
   * policy.
   */
  readonly policy: RetentionConfig | undefined;
  /** The latest time at which an entry can have been written, as far as the reader knows. */
  readonly latest: (entry: number) => Temporal.Instant;
  readonly onFault: (fault: Fault) => void;
}

/**
 * Checks whether the log itself allowed each destruction that it records. Anyone with the log key can write a
 * `record.purged` entry for anything; it is only valid if the purge began before, no hold was open, the promised lock
 * had ended, and the logged rules made it due. With the log key, an attacker can still log other rules, an end of the
 * relationship or the release of a hold first; each of these is an entry that everyone sees.
 */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #purges: PurgeCheck;
  readonly #ahead: DatedAhead;
  /** Files in `record.files` entries whose `record.stored` has not followed yet: a few, from killed runs. */
  readonly #announced = new Map<string, number>();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#purges = new PurgeCheck(options);
    this.#ahead = new DatedAhead(options.onFault);
  }

  /** Objects that were purged. */
  get purged(): number {
    return this.#purges.purged;
  }

  /** Purges without any rules to check them against. */
  get withoutPolicy(): number {
    return this.#purges.withoutPolicy;
  }

  /** Passes the entries on, in order, after checking each against the state that the earlier ones left. */
  *inOrder<T extends { readonly index: number; readonly entry: Entry }>(entries: Iterable<T>): Generator<T> {
    for (const each of entries) {
      this.#check(each.index, each.entry);
      yield each;
    }
  }

  #check(at: number, entry: Entry): void {
    this.#ahead.check(at, entry);
    switch (entry.type) {
      case "policy.changed":
        this.#purges.changeRules(at, entry.to);
        break;
      case "record.files":
        this.#announced.set(storedName(entry), (this.#announced.get(storedName(entry)) ?? 0) + entry.files.length);
        this.#list(at, entry);
        break;
      case "record.stored":
        this.#checkUpdated(at, entry);
        this.#checkMore(at, entry);
        this.#store(at, entry.subject, [entry.object]);
        this.#list(at, entry);
        break;
      case "lock.extended":
        this.#checkExtended(at, entry);
        break;
      case "note.purged":
        this.#checkNotesPurged(at, entry);
        break;
      case "purge.begun":
        this.#purges.checkBegun(at, entry);
        if (entry.keys[0] !== undefined) this.#ahead.notePurge(at, entry.keys[0], entry.time);
        break;
      case "record.purged":
        this.#purges.checkEnded(at, entry);
        if (entry.objects[0] !== undefined) this.#ahead.notePurge(at, entry.objects[0].key, entry.time);
        break;
    }
  }

  /** A version's name contains the time at which the provider made it, and that time may start a clock. */
  #checkUpdated(at: number, { updated, version, object }: RecordStored): void {
    if (updated.replace(/[-:]/g, "").startsWith(version.slice(0, 15))) return;
    this.#options.onFault({
      entry: at,
      key: object.key,
      what: `says that it was updated ${updated}, but its name says otherwise`,
    });
  }

  #checkMore(at: number, entry: RecordStored): void {
    const { object, moreFiles = 0 } = entry;
    const announced = this.#announced.get(storedName(entry)) ?? 0;
    this.#announced.delete(storedName(entry));
    if (announced === moreFiles) return;
    const what = `says that ${moreFiles} of its files are in earlier entries, but ${announced} are`;
    this.#options.onFault({ entry: at, key: object.key, what });
  }

  /** New files of this version are stored here; the others were stored by an earlier entry. */
  #list(at: number, { subject, files, time }: RecordStored | RecordFiles): void {
    this.#store(
      at,
      subject,
      files.filter(({ storedWith }) => storedWith === undefined),
    );
    for (const { key, storedWith } of files) {
      if (storedWith === undefined || this.#options.index.objects.get(key) || this.#wasThere(key, time)) continue;
      this.#options.onFault({
        entry: at,
        key,
        what: `was stored with ${storedWith}, but no earlier entry says so`,
      });
    }
  }

  /**
   * An entry written before a file was purged may be logged afterwards, by a machine that comes back. It has no effect:
   * the file stays purged.
   */
  #wasThere(key: string, time: string): boolean {
    const purged = this.#options.index.purges.endedAt(key);
    return purged !== undefined && !isBefore(instant(purged).add(CLOCKS), instant(time));
  }

  #store(
    at: number,
    subject: string,
    objects: readonly Pick<CatalogObject, "key" | "versionId" | "size" | "sha256">[],
  ): void {
    const { index, superseded, onFault } = this.#options;
    // The first time that the log mentions a person, it stored nothing of theirs before.
    if (!index.mentions(subject)) return;
    for (const { key, versionId, size, sha256 } of objects) {
      const before = index.objects.get(key);
      if (before === undefined) continue;
      if (before.versionId !== versionId) superseded.add(before);
      else if (before.size !== size || before.sha256 !== sha256)
        onFault({
          entry: at,
          key,
          what: `has a size or digest that differs from entry ${before.entry} for the same version`,
        });
    }
  }

  /** Notes may go once nothing else is left of their person, and their promised lock has ended. */
  #checkNotesPurged(at: number, { notes, time }: NotePurged): void {
    for (const { key } of notes) {
      const note = this.#options.index.notes.get(key);
      const fault = (what: string): void => this.#options.onFault({ entry: at, key, what });
      if (note === undefined) fault("was purged according to the log, but no earlier entry stored it");
      else if (note.state === "kept") fault("was purged according to the log, but records of its person are kept");
      else if (isBefore(instant(time), instant(note.lockedUntil)))
        fault(`was purged according to the log, but its promised lock ended only on ${note.lockedUntil}`);
    }
  }

  /**
   * A shorter lock than promised is no fault: the longest one counts, and an entry may have been logged again later.
   */
  #checkExtended(at: number, entry: Extract<Entry, { type: "lock.extended" }>): void {
    const { onFault, superseded } = this.#options;
    const until = `${comparableTime(entry.lockedUntil)}Z`;
    for (const { key, versionId } of entry.objects) {
      superseded.extend(key, versionId, until, entry.lockMode);
      const before = promisedOf(this.#options, key).find((object) => object.versionId === versionId);
      if (before === undefined)
        onFault({ entry: at, key, what: "extends the lock of a version that no earlier entry stored" });
    }
  }
}
