import type { PurgeBegun, RecordPurged } from "../audit/entry.ts";
import type { RetentionConfig } from "../config/config.ts";
import { CLOCKS } from "../core/clock.ts";
import { ownError } from "../core/error.ts";
import { instant, isBefore } from "../core/timestamp.ts";
import { recordKey } from "../vault/layout.ts";
import { PurgeFaults } from "./fault.ts";
import { parsePolicy } from "./policy.ts";
import type { ReplayOptions } from "./replay.ts";
import { promisedOf } from "./superseded.ts";
import { type Term, termsOf } from "./terms.ts";

/**
 * How much earlier than calculated today something may have been due. Earlier versions of Holdfast ended a period up to
 * a day sooner, and counted days in UTC where the law's day may begin 12 hours apart; their logs stay valid. If the
 * rules name no zone, this check counts in UTC as those versions did: counting in the last of all zones can end days
 * later near the end of a month, and never earlier.
 */
const EARLIER = { hours: 48 };

/** Checks a purge against the state that the earlier entries left, and against the logged rules. */
export class PurgeCheck {
  /** Objects that were purged, and purges without any rules to check them against. */
  purged = 0;
  withoutPolicy = 0;
  readonly #options: ReplayOptions;
  #rules: RetentionConfig | "unreadable" | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#rules = options.policy;
  }

  changeRules(at: number, words: Readonly<Record<string, string>>): void {
    try {
      this.#rules = parsePolicy(words);
    } catch (error) {
      const own = ownError(error);
      if (own?.code !== "malformed") throw error;
      this.#rules = "unreadable";
      this.#options.onFault({ entry: at, what: `has ${own.message}: purges after it cannot be checked` });
    }
  }

  checkBegun(at: number, entry: PurgeBegun): void {
    this.#checkGone(at, entry, entry.keys, () => false);
  }

  /** Checks a `record.purged` entry. */
  checkEnded(at: number, entry: RecordPurged): void {
    const { index, superseded } = this.#options;
    const { subject, objects, whole, ended, time } = entry;
    const keys = new Set(objects.map(({ key }) => key));
    const faults = new PurgeFaults(at, this.#options.onFault);
    // After an interrupted purge, objects already gone are logged with the time their purge began. They were due at
    // that time, which was checked there, whatever was logged since.
    const begun = new Map(index.purges.unfinishedKeys(subject).map(({ key, since }) => [key, since]));
    const wentBefore = (key: string): boolean =>
      objects.some((each) => each.key === key && each.due === begun.get(key));
    this.#checkGone(at, entry, [...keys], wentBefore, (key, term) => {
      const object = objects.find((each) => each.key === key)!;
      if (!begun.has(key)) faults.add(key, "no earlier purge.begun names it");
      const { versionId, size, sha256, due } = object;
      const stored = index.objects.get(key);
      if (stored && (stored.versionId !== versionId || stored.size !== size || stored.sha256 !== sha256))
        faults.add(key, "its version, size or digest differs from what was stored");
      if (isBefore(instant(time), instant(due)))
        faults.add(key, `the entry itself says that it was due only on ${due}`);
      if (!wentBefore(key) && term?.until && isBefore(instant(due), term.until.subtract(EARLIER)))
        faults.add(key, `the entry says that it was due on ${due}, but by the rules it was ${term.until}`);
    });
    if (keys.size !== objects.length) faults.add(objects[0]!.key, "the entry names an object twice");
    const last = index.relationships.ended(subject);
    const first = objects[0]?.key ?? recordKey(subject, "");
    if (ended !== last)
      faults.add(
        first,
        `the entry gives the end of the relationship as ${ended ?? "none"}; the log has ${last ?? "none"}`,
      );
    const left = [...index.kept.records(subject).map(({ version }) => recordKey(subject, version))]
      .concat(index.kept.files(subject).map(({ key }) => key))
      .filter((key) => !keys.has(key));
    if (whole && left.length > 0)
      faults.add(left[0]!, `the entry says that nothing is left of subject ${subject}, but this is`);
    faults.end();
    for (const key of keys) {
      if (index.objects.get(key)) this.purged += 1;
      superseded.drop(key);
    }
    if (this.#rules === undefined) this.withoutPolicy += 1;
  }

  /** Checks an object at the start of its purge and at the end. */
  #checkGone(
    at: number,
    { subject, time }: PurgeBegun | RecordPurged,
    keys: readonly string[],
    wentBefore: (key: string) => boolean,
    also?: Look,
  ): void {
    const { index, latest } = this.#options;
    const when = instant(time);
    const faults = new PurgeFaults(at, this.#options.onFault);
    const terms = this.#terms(subject);
    const isHeld = index.holds.of(subject).length > 0;
    const isAhead = isBefore(latest(at).add(CLOCKS), when);
    for (const key of keys) {
      const term = terms?.get(key);
      if (isAhead) faults.add(key, `the entry is dated ${time}, which was in the future`);
      if (isHeld && !wentBefore(key)) faults.add(key, "it was under a legal hold");
      const versions = promisedOf(this.#options, key);
      if (versions.length === 0) faults.add(key, "it did not exist: never stored, or already purged");
      for (const { lockedUntil } of versions)
        if (isBefore(when, instant(lockedUntil))) faults.add(key, `its promised lock ended only on ${lockedUntil}`);
      if (this.#rules === "unreadable")
        faults.add(key, "the rules in effect are invalid, so nothing shows that it was due");
      if (term && term.until === undefined && !wentBefore(key))
        faults.add(key, "it had to be kept: the relationship had not ended");
      if (!wentBefore(key) && term?.until && isBefore(when, term.until.subtract(EARLIER)))
        faults.add(key, `it had to be kept until ${term.until}`);
      also?.(key, term);
    }
    faults.end();
  }

  #terms(subject: string): Map<string, Term> | undefined {
    if (this.#rules === undefined || this.#rules === "unreadable") return undefined;
    const rules = { ...this.#rules, timezone: this.#rules.timezone ?? "UTC" };
    return new Map(termsOf(this.#options.index, rules, subject).map((term) => [term.key, term]));
  }
}

type Look = (key: string, term: Term | undefined) => void;
