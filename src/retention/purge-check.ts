import type { Entry, RecordPurged } from "../audit/entry.ts";
import type { RetentionConfig } from "../config/config.ts";
import { ownError } from "../core/error.ts";
import { recordKey } from "../vault/layout.ts";
import { Told } from "./fault.ts";
import { CLOCKS, instant, isBefore } from "./instants.ts";
import { parsePolicy } from "./policy.ts";
import type { ReplayOptions } from "./replay.ts";
import { promisedOf } from "./superseded.ts";
import { type Term, termsOf } from "./terms.ts";

/**
 * How much earlier than by the present calculation something may have been due. Earlier versions of Holdfast ended a
 * period up to a day sooner, and counted days in UTC where the law's day may begin 12 hours apart; their logs stay good.
 * Where the rules name no zone, it is their way of counting that is looked at: what counts in the last of all zones is
 * days later where a month ends, and never earlier.
 */
const EARLIER = { hours: 48 };

type PurgeBegun = Extract<Entry, { type: "purge.begun" }>;

/** Holds a purge to the state that the entries before it have left, and to the rules that they told. */
export class PurgeCheck {
  /** Objects that were purged, and purges that could be held to no rules. */
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
      this.#options.onFault({ entry: at, what: `tells ${own.message}: what is purged after it cannot be checked` });
    }
  }

  checkBegun(at: number, entry: PurgeBegun): void {
    this.#checkGone(at, entry, entry.keys, () => false);
  }

  /** Of `record.purged`. */
  checkEnded(at: number, entry: RecordPurged): void {
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
    { subject, time }: PurgeBegun | RecordPurged,
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
      const versions = promisedOf(this.#options, key);
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
  }

  #terms(subject: string): Map<string, Term> | undefined {
    if (this.#rules === undefined || this.#rules === "unreadable") return undefined;
    const rules = { ...this.#rules, timezone: this.#rules.timezone ?? "UTC" };
    return new Map(termsOf(this.#options.index, rules, subject).map((term) => [term.key, term]));
  }
}

type Look = (key: string, term: Term | undefined) => void;
