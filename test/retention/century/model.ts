import { period, plusUtc } from "./calendar.ts";
import type { OnDisk, Sight } from "./disk.ts";
import { ALWAYS, type End, endOf, type Law, later, NEVER, relationshipEnd } from "./law.ts";
import type { Job } from "./machine.ts";
import type { Person } from "./world.ts";

/** What is known of one person: what was recorded, and the state of their copies. */
export interface Facts {
  readonly subject: string;
  readonly person: Person;
  /** The last day of the relationship. */
  ended: string | undefined;
  readonly holds: Set<string>;
  /** Their purge was killed. */
  torn: boolean;
  /** All copies are purged. They may be exported again with a newer version, if `ended` is not set, or if reopened. */
  departed: boolean;
  /** Versions of the provider that exports saw: the last complete one, and any. */
  seen: number;
  seenAtMost: number;
  /** They may be exported again, but need not be. */
  unsure: boolean;
  /** Keys that were purged since their last export. */
  readonly destroyed: Set<string>;
}

/** A record according to the log. Times are seconds. */
interface Kept {
  readonly subject: string;
  readonly updated: number;
  readonly stored: number;
  readonly versionId: string;
  readonly files: Set<string>;
}

/** What was stored according to the log: names and times only. The model itself decides how long it is kept. */
export interface Stored {
  readonly subject: string;
  readonly key: string;
  readonly versionId: string;
  readonly updated: number;
  readonly stored: number;
  readonly files: readonly { readonly key: string; readonly versionId: string; readonly fresh: boolean }[];
}

export interface Done {
  readonly job: Job;
  /** When it started and ended, in seconds. */
  readonly from: number;
  readonly to: number;
  /** It was not killed. */
  readonly whole: boolean;
  /** Subjects or objects that failed according to the job. */
  readonly failed: number;
}

/** Tolerance: two processes' clocks, and locks in whole seconds. */
const SLACK = 3;

/** Knows for every moment what must be in the vault, how long it must be locked, and what must not be there. */
export class Model {
  law: Law;
  readonly facts: Map<string, Facts>;
  sight: Sight;
  /** Digests of what was destroyed. */
  readonly gone = new Set<string>();
  readonly #records = new Map<string, Kept>();
  readonly #files = new Map<string, { readonly subject: string; readonly versionId: string }>();
  readonly #faults: string[] = [];
  /** Subjects whose purge cannot complete yet: an object of theirs that no entry mentions is locked. */
  readonly #stuck = new Set<string>();

  constructor(law: Law, people: readonly (readonly [subject: string, person: Person])[], sight: Sight) {
    this.law = law;
    this.sight = sight;
    const told = { ended: undefined, torn: false, departed: false, seen: 0, seenAtMost: 0, unsure: false };
    this.facts = new Map(
      people.map(([subject, person]) => [
        subject,
        { subject, person, ...told, holds: new Set<string>(), destroyed: new Set<string>() },
      ]),
    );
  }

  /** Keys of a subject that are in the log and in the vault. */
  keysOf(subject: string): string[] {
    return this.#keysBySubject().get(subject) ?? [];
  }

  kept(): Facts[] {
    return [...this.#keysBySubject().keys()].map((subject) => this.facts.get(subject)!);
  }

  #keysBySubject(): Map<string, string[]> {
    return Map.groupBy([...this.#records.keys(), ...this.#files.keys()], (key) => key.split("/")[2]!);
  }

  /** Until when the law requires an object, given what exists and what was recorded. */
  end(key: string): End {
    const { law } = this;
    const { ended } = this.facts.get(key.split("/")[2]!)!;
    const record = this.#records.get(key);
    if (record === undefined) {
      return [...this.#records.values()]
        .filter(({ files }) => files.has(key))
        .map((lister) => endOf(law, law.files, lister, ended))
        .reduce(later, ALWAYS);
    }
    const own = later(endOf(law, law.identifying, record, ended), endOf(law, law.verification, record, ended));
    return record.files.size > 0 ? later(own, endOf(law, law.files, record, ended)) : own;
  }

  /** Compares the vault after a job with the expected result. Returns the differences. */
  after(done: Done, sight: Sight, stored: readonly Stored[]): string[] {
    const before = this.sight;
    const lengths = new Map(
      [...before.objects.keys()].map((key) => [key, this.#isLogged(key) ? this.end(key) : ALWAYS]),
    );
    this.#faults.length = 0;
    this.#stuck.clear();
    if (done.job.kind === "purge" && done.whole) this.#checkPurged(done, before, sight, lengths);
    this.#checkVanished(done, before, sight, lengths);
    this.#takeVanished(done, before, sight);
    // Includes what a killed export had journaled: the next writer logs it.
    for (const entry of stored) this.#take(entry, sight);
    this.#checkAppeared(done, before, sight);
    this.sight = sight;
    this.#checkLocks(done, before);
    this.#checkHolds(done);
    if (done.job.kind === "export") this.#checkExported(done);
    return [...this.#faults];
  }

  #isLogged(key: string): boolean {
    return this.#records.has(key) || this.#files.has(key);
  }

  #fault(key: string, what: string): void {
    this.#faults.push(`${key}: ${what}`);
  }

  /** What is gone was purged after its time, with no hold and no lock on it. */
  #checkVanished({ job, to }: Done, before: Sight, sight: Sight, ends: ReadonlyMap<string, End>): void {
    for (const [key, versions] of before.objects) {
      const left = sight.objects.get(key);
      const lost = [...versions].filter(([id]) => !left?.has(id));
      if (lost.length === 0) continue;
      if (job.kind !== "purge") this.#fault(key, `gone after ${job.kind}`);
      // What no entry mentions goes with the last of its person.
      if (
        !this.#isLogged(key) &&
        [...sight.objects.keys()].some((other) => this.#isLogged(other) && other.split("/")[2] === key.split("/")[2])
      )
        this.#fault(key, "gone, and no entry was about it");
      const { earliest } = ends.get(key)!;
      if (earliest > to) this.#fault(key, `gone at ${time(to)}, and had to be kept until ${time(earliest)}`);
      if (this.facts.get(key.split("/")[2]!)!.holds.size > 0) this.#fault(key, "gone under a hold");
      for (const [id, { lockedUntil }] of lost)
        if (lockedUntil > to) this.#fault(key, `version ${id} was locked until ${time(lockedUntil)}`);
    }
  }

  /** A purge that was not killed leaves nothing past its date, except under a hold or a lock. */
  #checkPurged({ from, failed }: Done, before: Sight, sight: Sight, ends: ReadonlyMap<string, End>): void {
    let excuse = false;
    for (const { subject, holds, torn } of this.kept()) {
      const due = this.keysOf(subject).filter((key) => (ends.get(key)?.latest ?? 0) <= from && before.objects.has(key));
      const locked = due.some((key) => [...before.objects.get(key)!.values()].some((each) => each.lockedUntil > from));
      if (locked) excuse = true;
      if (holds.size > 0 || torn || locked) continue;
      for (const key of due) {
        if (sight.objects.has(key))
          this.#fault(key, `still there at ${time(from)}, due ${time(ends.get(key)!.latest)}`);
        if (sight.plain.has(key)) this.#fault(key, "its plain name is still there");
        for (const other of sight.others.filter((name) => name.includes(key)))
          this.#fault(key, `${other} is left of it`);
      }
      const names = [...sight.plain, ...sight.others].filter((name) => name.split("/")[2] === subject);
      const strays = [...before.objects].filter(([key]) => key.split("/")[2] === subject && !this.#isLogged(key));
      if (strays.some(([, versions]) => [...versions.values()].some((each) => each.lockedUntil > from))) {
        this.#stuck.add(subject);
        excuse = true;
      } else if (due.length > 0 && due.length === this.keysOf(subject).length && sight.subjects.has(subject))
        this.#fault(subject, `names are left: ${names.join(" ")}`);
    }
    if (failed > 0 && !excuse) this.#fault("purge", `${failed} failed`);
  }

  #takeVanished({ job, whole }: Done, before: Sight, sight: Sight): void {
    const touched = new Set<string>();
    for (const [key, versions] of before.objects) {
      if (sight.objects.has(key)) continue;
      const subject = key.split("/")[2]!;
      touched.add(subject);
      this.#records.delete(key);
      this.#files.delete(key);
      for (const record of this.#records.values()) record.files.delete(key);
      this.facts.get(subject)!.destroyed.add(key);
      for (const { digest } of versions.values()) this.gone.add(digest);
    }
    if (job.kind !== "purge") return;
    for (const facts of this.facts.values()) {
      if (!whole || this.#stuck.has(facts.subject)) facts.torn ||= touched.has(facts.subject);
      else if (facts.torn || touched.has(facts.subject)) {
        if (this.keysOf(facts.subject).length === 0) {
          // For a person who is kept after all, the rest is deleted and the next export fetches it again.
          facts.unsure = facts.torn && facts.ended === undefined;
          facts.departed = true;
        }
        facts.torn = false;
      }
    }
  }

  #take({ subject, key, versionId, updated, stored, files }: Stored, sight: Sight): void {
    const facts = this.facts.get(subject)!;
    if (!facts.person.revisions.some((revision) => revision.updated === updated))
      this.#fault(key, `the provider has no version of ${time(updated)}`);
    const listed = this.#records.get(key)?.files ?? [];
    for (const file of files) if (file.fresh) this.#files.set(file.key, { subject, versionId: file.versionId });
    const all = new Set([...listed, ...files.map((file) => file.key)]);
    this.#records.set(key, { subject, updated, stored, versionId, files: all });
    if (!sight.objects.get(key)?.has(versionId)) this.#fault(key, "logged, and not there");
    for (const file of files) if (!sight.objects.has(file.key)) this.#fault(file.key, "listed, and not there");
    if (facts.departed) facts.destroyed.clear();
    facts.departed = false;
    facts.unsure = false;
  }

  #checkAppeared({ job, whole }: Done, before: Sight, sight: Sight): void {
    for (const [key, versions] of sight.objects) {
      const fresh = [...versions.keys()].filter((id) => !before.objects.get(key)?.has(id));
      if (fresh.length === 0) continue;
      const facts = this.facts.get(key.split("/")[2]!);
      if (facts === undefined) this.#fault(key, "no one's");
      if (job.kind !== "export") this.#fault(key, `new after ${job.kind}`);
      if (facts?.departed && !this.#mayReturn(facts)) this.#fault(key, "all of them was purged, and they are back");
      const { versionId } = this.#records.get(key) ?? this.#files.get(key) ?? {};
      if (whole && !fresh.every((id) => id === versionId)) this.#fault(key, "stored, and not logged");
    }
    for (const key of sight.plain)
      if (whole && !sight.objects.has(key) && !this.facts.get(key.split("/")[2]!)!.torn)
        this.#fault(key, "a plain name without a version");
  }

  #mayReturn({ departed, unsure, ended, person, seen }: Facts): boolean {
    return !departed || unsure || (ended === undefined && person.revisions.length > seen);
  }

  #mustReturn({ departed, unsure, ended, person, seenAtMost }: Facts): boolean {
    return !departed || (!unsure && ended === undefined && person.revisions.length > seenAtMost);
  }

  /** Everyone at the provider is kept, in the current version; purged people are not. */
  #checkExported({ from, to, whole, failed }: Done): void {
    if (whole && failed > 0) this.#fault("export", `${failed} failed`);
    for (const facts of this.facts.values()) {
      const { subject, person, torn, destroyed } = facts;
      const { revisions } = person;
      if (person.vanished || revisions[0]!.updated > from) continue;
      const { updated, files } = revisions.at(-1)!;
      const mustReturn = this.#mustReturn(facts);
      facts.seenAtMost = revisions.length;
      if (!whole) continue;
      if (!facts.departed || mustReturn) facts.seen = revisions.length;
      if (torn || !mustReturn || this.#isPast(updated, facts.ended, to)) continue;
      const keys = this.keysOf(subject);
      const record = keys.map((key) => this.#records.get(key)).find((each) => each?.updated === updated);
      if (record !== undefined) {
        if (files.length > record.files.size + destroyed.size) this.#fault(subject, "files are missing");
      } else if (![...destroyed].some((key) => key.startsWith("records/"))) this.#fault(subject, "is not kept");
    }
  }

  /** Whether a new version need not be kept: because of its own age, or because the relationship ended long ago. */
  #isPast(updated: number, ended: string | undefined, now: number): boolean {
    const begun = { updated, stored: now };
    const { law } = this;
    const clocks = [law.identifying, law.verification, law.files];
    return [undefined, ended].some(
      (date) => clocks.map((clock) => endOf(law, clock, begun, date)).reduce(later).earliest <= now,
    );
  }

  /** No lock gets shorter, or longer than allowed; each is as long as it must be. */
  #checkLocks({ job, from, to, whole }: Done, before: Sight): void {
    const { law, sight } = this;
    const soon = plusUtc(from, period(law.extendWhenLessThan));
    const slice = plusUtc(to, period(law.initialLock));
    for (const [key, versions] of sight.objects) {
      const { ended } = this.facts.get(key.split("/")[2]!)!;
      const logged = this.#isLogged(key);
      // For objects of a killed export that are not logged yet, the version and the relationship's end are unknown.
      const unknown =
        ended === undefined ? NEVER : later(relationshipEnd(law, ended), { earliest: slice, latest: slice });
      const end = logged ? this.end(key) : unknown;
      const longestOf = (latest: number): number =>
        ended !== undefined && latest < NEVER.latest ? latest : Math.min(slice, latest);
      const longest = longestOf(Math.max(end.latest, this.#tornEnd(key)));
      for (const [id, { lockedUntil }] of versions) {
        const was = before.objects.get(key)?.get(id)?.lockedUntil ?? 0;
        if (lockedUntil < was) this.#fault(key, `locked until ${time(lockedUntil)}, and was until ${time(was)}`);
        // A file starts with the lock of the record it was stored with.
        const first = Math.max(longest, Math.min(slice, this.#listersEnd(key)));
        // A killed export may have stored a new version with this file, and have extended its locks.
        const mayBeListed = !whole && job.kind === "export" && key.startsWith("files/");
        const most = mayBeListed ? longestOf(unknown.latest) : was > 0 ? longest : first;
        if (lockedUntil > Math.max(was, most + SLACK))
          this.#fault(key, `locked until ${time(lockedUntil)}, where ${time(most)} is the most`);
      }
      if (!whole || !logged || end.earliest <= to) continue;
      const { versionId } = this.#records.get(key) ?? this.#files.get(key)!;
      const at = versions.get(versionId);
      if (at === undefined) {
        this.#fault(key, `version ${versionId} is missing`);
        continue;
      }
      const least = this.#least(job, key, end, soon, from);
      if (at.lockedUntil < Math.floor(least))
        this.#fault(key, `locked until ${time(at.lockedUntil)} only, where it takes ${time(least)}`);
      this.#checkMode(job, key, at, from);
    }
  }

  /** A killed purge has not logged which files it deleted: until it continues, a record counts as having them. */
  #tornEnd(key: string): number {
    const record = this.#records.get(key);
    const { torn, ended } = this.facts.get(key.split("/")[2]!)!;
    return torn && record ? endOf(this.law, this.law.files, record, ended).latest : 0;
  }

  #listersEnd(key: string): number {
    const listers = [...this.#records].filter(([, { files }]) => files.has(key));
    return Math.max(0, ...listers.map(([record]) => this.end(record).latest));
  }

  #least(job: Job, key: string, end: End, soon: number, from: number): number {
    const subject = key.split("/")[2]!;
    const { ended } = this.facts.get(subject)!;
    if (job.kind === "end" && job.subjects.includes(subject)) return end.earliest;
    if (job.kind !== "export" && job.kind !== "extend") return 0;
    const last = ended === undefined ? ALWAYS : relationshipEnd(this.law, ended);
    const final = last.earliest > from ? Math.min(last.earliest, end.earliest) : 0;
    return Math.max(Math.min(soon, end.earliest), final);
  }

  #checkMode(job: Job, key: string, { mode }: OnDisk, from: number): void {
    const { coolingOff } = this.law;
    const record = this.#records.get(key);
    if (coolingOff === undefined || record === undefined || (job.kind !== "export" && job.kind !== "extend")) return;
    if (plusUtc(record.stored, period(coolingOff)) < from && mode !== "compliance")
      this.#fault(key, `still in ${mode} mode`);
  }

  /** The store holds exactly what was recorded, on every version. */
  #checkHolds({ job, whole }: Done): void {
    if (!whole) return;
    const all = job.kind === "export" || job.kind === "extend";
    for (const [key, versions] of this.sight.objects) {
      const subject = key.split("/")[2]!;
      const { holds } = this.facts.get(subject)!;
      const { versionId } = this.#records.get(key) ?? this.#files.get(key) ?? {};
      const placed = job.kind === "place" && job.subjects.includes(subject);
      for (const [id, { held }] of versions) {
        if (held && holds.size === 0) this.#fault(key, `version ${id} is held by no case`);
        if (!held && holds.size > 0 && (placed || (all && id === versionId)))
          this.#fault(key, `version ${id} is not held`);
      }
    }
  }
}

function time(seconds: number): string {
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : "no one knows";
}
