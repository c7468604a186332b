import type { Entry, RecordFiles, RecordPurged, RecordStored } from "../audit/entry.ts";
import { leadsToPurge } from "../audit/resumed.ts";
import { isPurge } from "../audit/said.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { comparable } from "../catalog/time.ts";
import type { RetentionConfig } from "../config/config.ts";
import { ownError } from "../core/error.ts";
import { recordKey } from "../vault/layout.ts";
import { parsePolicy } from "./policy.ts";
import type { Superseded } from "./superseded.ts";
import { type Term, termsOf } from "./terms.ts";

/** An entry that says something was done which the log up to there does not allow. */
export interface Fault {
  readonly entry: number;
  /** The first object that it is about; of a policy none. */
  readonly key?: string;
  readonly what: string;
}

export interface ReplayOptions {
  /** Empty. It is the state before each entry, and whoever takes the entries applies them to it. */
  readonly index: Catalog;
  readonly superseded: Superseded;
  /** For purges before the log's first policy: old logs have none. Undefined: such a purge is not held to any. */
  readonly policy: RetentionConfig | undefined;
  /** When an entry existed at the latest, as far as the reader knows. */
  readonly latest: (entry: number) => Temporal.Instant;
  readonly onFault: (fault: Fault) => void;
}

/**
 * How much earlier than by the present calculation something may have been due. Earlier versions of Holdfast ended a
 * period up to a day sooner, and counted days in UTC where the law's day may begin 12 hours apart; their logs stay good.
 * Where the rules name no zone, it is their way of counting that is looked at: what counts in the last of all zones is
 * days later where a month ends, and never earlier.
 */
const EARLIER = { hours: 48 };
/** Clocks of two machines may differ by so much. */
const CLOCKS = { hours: 1 };
/** An entry may be so much older than one before it: clocks are set back. Beyond it the earlier one was dated ahead. */
const BACK = { hours: 24 };

type Gone = Extract<Entry, { type: "purge.begun" | "record.purged" }>;

/**
 * Holds what the log says was destroyed to what led there. Whoever has the log key can write `record.purged` of
 * anything; it is believed only where the log itself allowed it: begun before, no hold open, the promised lock over, and
 * due by the rules that the log told. What an adversary with the log key can still do is to log other rules, an end of
 * the relationship or the release of a hold first; each of these is an entry that everybody sees.
 */
export class Replay {
  /** Objects that were purged, and purges that could be held to no rules. */
  purged = 0;
  withoutPolicy = 0;
  readonly #options: ReplayOptions;
  #rules: RetentionConfig | "unreadable" | undefined;
  /** Files in `record.files` entries whose `record.stored` has not followed: of killed runs, a few. */
  readonly #announced = new Map<string, number>();
  /** The purge with the latest time: what comes after it may not be older. */
  #last: { readonly entry: number; readonly key: string; readonly time: string; readonly until: string } | undefined;
  /** The last `journal.resumed`, and the last entry that it speaks of. */
  #resumed: { readonly entry: number; readonly run: string; readonly time: string; readonly end: number } | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#rules = options.policy;
  }

  /** Gives the entries on, in their order, each checked against the state that those before it have left. */
  *inOrder<T extends { readonly index: number; readonly entry: Entry }>(entries: Iterable<T>): Generator<T> {
    for (const each of entries) {
      this.#check(each.index, each.entry);
      yield each;
    }
  }

  #check(at: number, entry: Entry): void {
    if (!this.#isLoggedAgain(at, entry)) this.#checkTime(entry);
    switch (entry.type) {
      case "journal.resumed":
        this.#resumed = { entry: at, run: entry.run, time: entry.time, end: at + entry.count };
        break;
      case "policy.changed":
        this.#changeRules(at, entry.to);
        break;
      case "record.files":
        this.#announced.set(nameOf(entry), (this.#announced.get(nameOf(entry)) ?? 0) + entry.files.length);
        this.#list(at, entry);
        break;
      case "record.stored":
        this.#checkUpdated(at, entry);
        this.#checkMore(at, entry);
        this.#store(at, [entry.object]);
        this.#list(at, entry);
        break;
      case "lock.extended":
        this.#checkExtended(at, entry);
        break;
      case "purge.begun":
        this.#checkGone(at, entry, entry.keys, () => false);
        break;
      case "record.purged":
        this.#checkPurged(at, entry);
        break;
    }
  }

  #changeRules(at: number, words: Readonly<Record<string, string>>): void {
    try {
      this.#rules = parsePolicy(words);
    } catch (error) {
      const own = ownError(error);
      if (own?.code !== "malformed") throw error;
      this.#rules = "unreadable";
      this.#options.onFault({ entry: at, what: `tells ${own.message}: what is purged after it cannot be checked` });
    }
  }

  /** A version is named for the time at which the provider made it, and that time may start a clock. */
  #checkUpdated(at: number, { updated, version, object }: RecordStored): void {
    if (updated.replace(/[-:]/g, "").startsWith(version.slice(0, 15))) return;
    this.#options.onFault({
      entry: at,
      key: object.key,
      what: `says that it was updated ${updated}; its name does not`,
    });
  }

  #checkMore(at: number, entry: RecordStored): void {
    const { object, moreFiles = 0 } = entry;
    const announced = this.#announced.get(nameOf(entry)) ?? 0;
    this.#announced.delete(nameOf(entry));
    if (announced === moreFiles) return;
    const what = `says that ${moreFiles} of its files are in entries before it, and ${announced} are`;
    this.#options.onFault({ entry: at, key: object.key, what });
  }

  /** Files that came with this version are stored here; others were, by an entry before. */
  #list(at: number, { files, time }: RecordStored | RecordFiles): void {
    this.#store(
      at,
      files.filter(({ storedWith }) => storedWith === undefined),
    );
    for (const { key, storedWith } of files) {
      if (storedWith === undefined || this.#options.index.objects.get(key) || this.#wasThere(key, time)) continue;
      this.#options.onFault({
        entry: at,
        key,
        what: `was stored with ${storedWith}, and no entry before this says so`,
      });
    }
  }

  /**
   * An entry that was written before a file was purged may be logged after that, by a machine that comes back. Nothing
   * follows from it: the file stays purged.
   */
  #wasThere(key: string, time: string): boolean {
    const purged = this.#options.index.purges.endedAt(key);
    return purged !== undefined && !isBefore(instant(purged).add(CLOCKS), instant(time));
  }

  #store(at: number, objects: readonly Pick<CatalogObject, "key" | "versionId" | "size" | "sha256">[]): void {
    const { index, superseded, onFault } = this.#options;
    for (const { key, versionId, size, sha256 } of objects) {
      const before = index.objects.get(key);
      if (before === undefined) continue;
      if (before.versionId !== versionId) superseded.add(before);
      else if (before.size !== size || before.sha256 !== sha256)
        onFault({
          entry: at,
          key,
          what: `has another size or digest than entry ${before.entry} says of the same version`,
        });
    }
  }

  /** A shorter lock than was promised is no fault: the longest counts, and an entry may have been logged again later. */
  #checkExtended(at: number, entry: Extract<Entry, { type: "lock.extended" }>): void {
    const { onFault, superseded } = this.#options;
    const until = `${comparable(entry.lockedUntil)}Z`;
    for (const { key, versionId } of entry.objects) {
      superseded.extend(key, versionId, until, entry.lockMode);
      const before = this.#versions(key).find((object) => object.versionId === versionId);
      if (before === undefined)
        onFault({ entry: at, key, what: "extends the lock of a version that no entry before it stored" });
    }
  }

  /** All that is promised of a key, the present version first. */
  #versions(key: string): CatalogObject[] {
    const present = this.#options.index.objects.get(key);
    return [...(present ? [present] : []), ...this.#options.superseded.of(key)];
  }

  #checkPurged(at: number, entry: RecordPurged): void {
    const { index, superseded } = this.#options;
    const { subject, objects, whole, ended, time } = entry;
    const keys = new Set(objects.map(({ key }) => key));
    const told = new Told(at, this.#options.onFault);
    // A purge that was stopped: what was gone by then is told with the time its purge began. It was due at that time,
    // which was checked there, whatever has been logged since.
    const begun = new Map(index.purges.unfinishedKeys(subject).map(({ key, since }) => [key, since]));
    const wentBefore = (key: string): boolean =>
      objects.some((each) => each.key === key && each.due === begun.get(key));
    this.#checkGone(at, entry, [...keys], wentBefore, (key, term) => {
      const object = objects.find((each) => each.key === key)!;
      if (!begun.has(key)) told.add(key, "no purge.begun before it names this");
      const { versionId, size, sha256, due } = object;
      const stored = index.objects.get(key);
      if (stored && (stored.versionId !== versionId || stored.size !== size || stored.sha256 !== sha256))
        told.add(key, "its version, size or digest is not the one that was stored");
      if (isBefore(instant(time), instant(due))) told.add(key, `had to be kept until ${due} by its own word`);
      if (!wentBefore(key) && term?.until && isBefore(instant(due), term.until.subtract(EARLIER)))
        told.add(key, `says that it had to be kept until ${due}; by the rules it was ${term.until}`);
    });
    if (keys.size !== objects.length) told.add(objects[0]!.key, "names an object twice");
    const last = index.relationships.ended(subject);
    const first = objects[0]?.key ?? recordKey(subject, "");
    if (ended !== last)
      told.add(first, `says that the relationship ended ${ended ?? "never"}; the log says ${last ?? "that it lasts"}`);
    const left = [...index.kept.records(subject).map(({ version }) => recordKey(subject, version))]
      .concat(index.kept.files(subject).map(({ key }) => key))
      .filter((key) => !keys.has(key));
    if (whole && left.length > 0) told.add(left[0]!, `says that nothing is left of subject ${subject}, and this is`);
    told.end();
    for (const key of keys) {
      if (index.objects.get(key)) this.purged += 1;
      superseded.drop(key);
    }
    if (this.#rules === undefined) this.withoutPolicy += 1;
  }

  /** What holds of an object whether its purge begins or has ended. */
  #checkGone(
    at: number,
    { subject, time }: Gone,
    keys: readonly string[],
    wentBefore: (key: string) => boolean,
    also?: Look,
  ): void {
    const { index, latest } = this.#options;
    const when = instant(time);
    const told = new Told(at, this.#options.onFault);
    const terms = this.#terms(subject);
    const isHeld = index.holds.of(subject).length > 0;
    const isAhead = isBefore(latest(at).add(CLOCKS), when);
    for (const key of keys) {
      const term = terms?.get(key);
      if (isAhead) told.add(key, `is dated ${time}, and that time had not come`);
      if (isHeld && !wentBefore(key)) told.add(key, "was under a legal hold");
      const versions = this.#versions(key);
      if (versions.length === 0) told.add(key, "nothing of this name was there: never stored, or purged before");
      for (const { lockedUntil } of versions)
        if (isBefore(when, instant(lockedUntil))) told.add(key, `was to be locked until ${lockedUntil}`);
      if (this.#rules === "unreadable") told.add(key, "the rules in force cannot be read, so nothing says it was due");
      if (term && term.until === undefined && !wentBefore(key))
        told.add(key, "had to be kept: the relationship lasted");
      if (!wentBefore(key) && term?.until && isBefore(when, term.until.subtract(EARLIER)))
        told.add(key, `had to be kept until ${term.until}`);
      also?.(key, term);
    }
    told.end();
    const [key] = keys;
    if (key !== undefined && (this.#last === undefined || time > this.#last.time)) {
      this.#last = { entry: at, key, time, until: when.subtract(BACK).toString({ smallestUnit: "millisecond" }) };
    }
  }

  #terms(subject: string): Map<string, Term> | undefined {
    if (this.#rules === undefined || this.#rules === "unreadable") return undefined;
    const rules = { ...this.#rules, timezone: this.#rules.timezone ?? "UTC" };
    return new Map(termsOf(this.#options.index, rules, subject).map((term) => [term.key, term]));
  }

  /**
   * Whether an entry may be older than a purge before it: a machine that came back logged it again. Only where it is of
   * the run that the marker names, and leads to no purge; else a marker could hide that a purge was dated ahead.
   */
  #isLoggedAgain(at: number, entry: Entry): boolean {
    if (this.#resumed === undefined || at > this.#resumed.end || entry.type === "journal.resumed") return false;
    const { entry: marker, run, time } = this.#resumed;
    const told = (what: string): false => {
      this.#options.onFault({ entry: at, what: `${what}, and entry ${marker} says that it is logged again` });
      this.#resumed = undefined;
      return false;
    };
    if (entry.run !== run) return told(`is of another run than ${run}`);
    if (isPurge(entry)) return told(`is a ${entry.type}`);
    if (leadsToPurge(entry) && isBefore(instant(entry.time), instant(time)))
      return told(`is a ${entry.type} of ${entry.time}`);
    return true;
  }

  /** A purge that was dated ahead, so that it should be due, is given away by what was logged after it. */
  #checkTime({ time }: Entry): void {
    if (this.#last === undefined || time >= this.#last.until) return;
    const { entry, key, time: ahead } = this.#last;
    this.#last = undefined;
    this.#options.onFault({ entry, key, what: `is dated ${ahead}, and a later entry ${time}` });
  }
}

type Look = (key: string, term: Term | undefined) => void;

/** One fault for each reason, however many objects of the entry it holds of. */
class Told {
  readonly #entry: number;
  readonly #onFault: (fault: Fault) => void;
  readonly #keys = new Map<string, string[]>();

  constructor(entry: number, onFault: (fault: Fault) => void) {
    this.#entry = entry;
    this.#onFault = onFault;
  }

  add(key: string, what: string): void {
    this.#keys.set(what, [...(this.#keys.get(what) ?? []), key]);
  }

  end(): void {
    for (const [what, keys] of this.#keys) {
      const more = keys.length > 1 ? ` (and so for ${keys.length - 1} more of this entry)` : "";
      this.#onFault({ entry: this.#entry, key: keys[0]!, what: `may not be purged: ${what}${more}` });
    }
  }
}

/** What `record.files` and the `record.stored` that it belongs to have in common. */
function nameOf({ run, subject, version }: RecordStored | RecordFiles): string {
  return `${run} ${subject} ${version}`;
}

function instant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}
