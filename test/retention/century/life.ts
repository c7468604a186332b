import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CLIENT, type Section, type Workplace } from "../../export/workplace.ts";
import { Random } from "../../sandbox/random.ts";
import { DAY, dateOf, dayOf, dayText, localDay, startOf, utcDay } from "./calendar.ts";
import { everyDigest, look } from "./disk.ts";
import type { Clock, Law } from "./law.ts";
import { Log } from "./log.ts";
import { type Answer, type Job, Machine } from "./machine.ts";
import { type Facts, Model } from "./model.ts";
import type { World } from "./world.ts";

const clock = (keep: string, from: Clock["from"]): Clock => ({ keep, from });
const all = (of: Clock) => ({ identifying: of, verification: of, files: of });

/** Terms that clients use, and odd ones. Each has a lock that fits. */
const TERMS = [
  { ...all(clock("P5Y", "relationship-end")), initialLock: "P3Y" },
  {
    identifying: clock("P4Y", "account-closed"),
    verification: clock("P4Y", "account-closed"),
    files: clock("P6Y", "account-closed"),
    initialLock: "P4Y",
  },
  {
    identifying: clock("P5Y", "account-closed"),
    verification: clock("P5Y", "exported"),
    files: clock("P5Y", "exported"),
    initialLock: "P4Y",
  },
  {
    identifying: clock("P18M", "relationship-end"),
    verification: clock("P2Y", "exported"),
    files: clock("P4Y", "created"),
    initialLock: "P18M",
  },
  { ...all(clock("P1827D", "relationship-end")), initialLock: "P3Y" },
  { ...all(clock("P30M", "exported")), initialLock: "P2Y" },
  { ...all(clock("P1Y1M1DT30H", "relationship-end")), initialLock: "P1Y" },
  {
    identifying: clock("P7Y", "relationship-end"),
    verification: clock("P260W", "relationship-end"),
    files: clock("P2Y", "relationship-end"),
    initialLock: "P2Y",
  },
] as const;

/** Moments at which a purge is killed, named as in test/crash/hook.ts. */
const IN_A_PURGE = [
  "before unlink files",
  "after unlink files",
  "before unlink records",
  "after unlink records",
] as const;

const ZONES = [
  undefined,
  "Europe/Berlin",
  "America/Los_Angeles",
  "Pacific/Kiritimati",
  "Etc/GMT+12",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
];

export interface LifeOptions {
  readonly seed: number;
  /** The first and the last year. */
  readonly from: number;
  readonly to: number;
  /** The length of a step, relative to the usual one. */
  readonly pace: number;
  /** The percentage of processes that die soon. */
  readonly kills: number;
  /** Locks become compliance after 30 days. */
  readonly cools: boolean;
}

/** One vault's century: random days and random commands, and the model checks each result. */
export class Life {
  readonly counts: Record<string, number> = { kills: 0, destroyed: 0, certificates: 0, steps: 0 };
  readonly #options: LifeOptions;
  readonly #place: Workplace;
  readonly #world: World;
  readonly #random: Random;
  readonly #machine: Machine;
  readonly #end: number;
  #model!: Model;
  #now: number;
  readonly #log: Log;
  #vkey = "";
  #cases = 0;
  readonly #done: string[] = [];

  constructor(place: Workplace, world: World, options: LifeOptions) {
    this.#place = place;
    this.#world = world;
    this.#options = options;
    this.#random = new Random(options.seed, 5);
    this.#log = new Log(place);
    this.#machine = new Machine(place.file, {
      quick: true,
      // Soon, in one of the next jobs; or after many.
      dieAt: () =>
        Math.floor(
          3 ** (this.#random.chance(options.kills) ? this.#random.between(1, 6) : this.#random.between(7, 10)),
        ),
    });
    this.#now = startOf(dayOf(`${options.from}-01-01`));
    this.#end = startOf(dayOf(`${options.to}-01-01`));
  }

  get #root(): string {
    return this.#place.path("vault", CLIENT);
  }

  async live(): Promise<void> {
    await using _ = this.#machine;
    const people = await Promise.all(
      this.#world.people.map(async (person) => [await this.#place.subject(person.id), person] as const),
    );
    this.#vkey = JSON.parse(readFileSync(`${this.#root}/vault.json`, "utf8")).log.vkey;
    this.#model = new Model(await this.#newPolicy(), people, look(this.#root));
    let decade = this.#options.from + 10;
    while (this.#now < this.#end) {
      await this.#step();
      if (this.#now < startOf(dayOf(`${decade}-01-01`))) continue;
      await this.#audit();
      decade += 10;
    }
    await this.#audit();
  }

  /** Moves to the next day on which something happens. */
  async #step(): Promise<void> {
    const random = this.#random;
    this.counts.steps! += 1;
    const due = random.chance(30) ? this.#nextDue() : undefined;
    if (due) {
      // The last moment at which nothing may be deleted, and the first at which it must be.
      if (due.earliest - 30 > this.#now) await this.#at(due.earliest - 30, { kind: "purge", out: this.#out() });
      if (random.chance(45)) await this.#machine.dieIn(random.pick(IN_A_PURGE));
      await this.#at(due.latest, { kind: "purge", out: this.#out() });
      if (this.#torn().length > 0) await this.#act();
      return;
    }
    this.#now = Math.max(this.#now + 60, this.#nextDay());
    for (let n = random.integer(1, 2); n > 0; n--) await this.#act();
  }

  /** People whose purge was interrupted, with something left. */
  #torn(): Facts[] {
    return this.#model.kept().filter(({ torn }) => torn);
  }

  #nextDue() {
    const ends = this.#model
      .kept()
      .flatMap(({ subject }) => this.#model.keysOf(subject).slice(0, 2))
      .map((key) => this.#model.end(key))
      .filter(
        ({ earliest, latest }) => earliest > this.#now + DAY && latest < this.#now + 150 * this.#options.pace * DAY,
      );
    return ends.sort((one, other) => one.earliest - other.earliest).at(0);
  }

  #nextDay(): number {
    const random = this.#random;
    let day = utcDay(this.#now);
    const target = random.weighted([
      ["tomorrow", 15],
      ["some", 55],
      ["month end", 25],
      ["leap day", 5],
    ] as const);
    if (target === "tomorrow") day += 1;
    else if (target === "some") day += Math.round(random.integer(2, 110) * this.#options.pace);
    else if (target === "month end")
      do day += 1;
      while (dateOf(day + 1).day !== 1);
    else {
      const from = day;
      do day += 1;
      while (!(dateOf(day).month === 2 && dateOf(day).day === 29) && day < from + 200);
    }
    return startOf(day) + random.integer(0, DAY - 1);
  }

  async #act(): Promise<void> {
    const random = this.#random;
    const kept = this.#model.kept();
    const torn = this.#torn();
    // After an interrupted purge, commands about these people matter most.
    if (torn.length > 0 && random.chance(80)) {
      await this.#tell(random.pick(["end", "reopen", "reopen", "place", "policy"] as const), [random.pick(torn)]);
      if (random.chance(70)) await this.#do({ kind: "purge", out: this.#out() });
      return;
    }
    const lasting = kept.filter(({ ended }) => ended === undefined);
    const kind = random.weighted([
      ["export", 34],
      ["extend", 6],
      ["end", 22],
      ["end again", 4],
      ["reopen", 5],
      ["place", 5],
      ["release", 8],
      ["purge", 14],
      ["policy", 5],
      ["revise", 6],
      ["vanish", 0.5],
    ] as const);
    if (kind === "export" || kind === "extend") await this.#do({ kind });
    else if (kind === "purge") await this.#do({ kind, out: this.#out() });
    else if (kind === "end") await this.#tell("end", some(random, lasting));
    else if (kind === "end again")
      await this.#tell(
        "end",
        some(
          random,
          kept.filter(({ ended }) => ended !== undefined),
        ),
      );
    else if (kind === "reopen") {
      const over = [...this.#model.facts.values()].filter(({ ended, departed }) => ended !== undefined || departed);
      await this.#tell("reopen", some(random, over));
    } else if (kind === "place") await this.#tell("place", some(random, kept));
    else if (kind === "release")
      await this.#tell(
        "release",
        some(
          random,
          kept.filter(({ holds }) => holds.size > 0),
        ),
      );
    else if (kind === "policy") await this.#tell("policy", []);
    else {
      this.#world.now = this.#now;
      const people = some(
        random,
        this.#world.present().filter(({ revisions }) => revisions.at(-1)!.updated < this.#now - DAY),
      );
      for (const person of people) {
        if (kind === "revise") this.#world.revise(person, random);
        else person.vanished = true;
      }
      if (random.chance(50)) await this.#do({ kind: "export" });
    }
  }

  /** Records something about people, or changes the rules. After a kill it is recorded again. */
  async #tell(what: "end" | "reopen" | "place" | "release" | "policy", people: readonly Facts[]): Promise<void> {
    if (what === "policy") {
      this.#model.law = await this.#newPolicy();
      await this.#do({ kind: this.#random.pick(["extend", "export"] as const) });
      return;
    }
    if (people.length === 0) return;
    const subjects = people.map(({ subject }) => subject);
    const [first] = people;
    const job: Job =
      what === "end"
        ? { kind: "end", subjects, date: this.#lastDay() }
        : what === "reopen"
          ? { kind: "reopen", subjects }
          : { kind: what, subjects, case: what === "place" ? `AZ ${this.#cases++ % 40}` : [...first!.holds][0]! };
    const tell = (): void => {
      for (const facts of people) {
        if (job.kind === "end") facts.ended = job.date;
        else if (job.kind === "place") facts.holds.add(job.case);
        else if (job.kind === "release") facts.holds.delete(job.case);
        else if (job.kind === "reopen") {
          facts.ended = undefined;
          if (facts.departed) Object.assign(facts, { departed: false, seen: 0, seenAtMost: 0 });
        }
      }
    };
    await this.#do(job, tell);
  }

  #lastDay(): string {
    const random = this.#random;
    const today = localDay(this.#now, this.#model.law.zone ?? "UTC");
    let day =
      today +
      random.weighted([
        [0, 30],
        [random.integer(-400, -1), 45],
        [random.integer(1, 300), 25],
      ] as const);
    // Days that some months lack, and those around the end of February.
    if (random.chance(20)) while (dateOf(day + 1).day !== 1) day -= 1;
    else if (random.chance(30)) while (![28, 29, 30].includes(dateOf(day).day)) day -= 1;
    return dayText(day);
  }

  async #newPolicy(): Promise<Law> {
    const random = this.#random;
    const terms = random.pick(TERMS);
    const zone = random.pick(ZONES);
    const more = { extendWhenLessThan: "P6M", coolingOff: this.#options.cools ? "P30D" : undefined };
    const { initialLock, identifying, verification, files } = terms;
    // The maximum length of a lock: whatever the clocks say, nothing is deleted sooner.
    const minimum = random.chance(35) ? initialLock : undefined;
    const retention: Section = {
      ...{ keep: identifying.keep, from: identifying.from, classes: { identifying, verification, files } },
      ...{ timezone: zone, minimum, initialLock, ...more },
    };
    await this.#place.configure({ retention, vault: { lock: this.#options.cools ? "compliance" : "governance" } });
    return { ...{ identifying, verification, files, zone, minimum, initialLock }, ...more };
  }

  async #at(seconds: number, job: Job): Promise<void> {
    this.#now = Math.ceil(seconds);
    await this.#do(job);
  }

  #out(): string {
    return this.#place.path(`destroyed-${this.#done.length}`);
  }

  /** Runs a job, kills it now and then, and asks the model. @param tell what the model learns from the job */
  async #do(job: Job, tell: () => void = () => {}, again = false): Promise<void> {
    const random = this.#random;
    for (;;) {
      this.#world.now = this.#now;
      const begun = performance.now();
      const answer = await this.#machine.run({ at: this.#now, job });
      const to = this.#now + (performance.now() - begun) / 1000;
      this.#done.push(`${new Date(this.#now * 1000).toISOString()} ${JSON.stringify(job)}${answer ? "" : " KILLED"}`);
      const isTold = answer?.error === "usage" && job.kind === "release";
      if (answer?.error !== undefined && !isTold) this.#fail([`${answer.error}: ${answer.text}`]);
      // Also after a kill: the model hears it until it is in the log.
      tell();
      await this.#compare(job, to, answer);
      this.#now += 2;
      if (answer) return;
      this.counts.kills! += 1;
      // Facts are recorded until they are in the log; other jobs are repeated, or something else comes first.
      const isFact = !["export", "extend", "purge"].includes(job.kind);
      if (!isFact && !again && random.chance(70)) return;
      if (job.kind === "purge") job = { kind: "purge", out: this.#out() };
    }
  }

  async #compare(job: Job, to: number, answer: Answer | undefined): Promise<void> {
    const model = this.#model;
    const sight = look(this.#root);
    const stored = answer ? await this.#log.news() : [];
    const failed: number = (answer?.value?.failed ?? 0) + (answer?.value?.locks?.failed ?? 0);
    const before = new Set(model.sight.objects.keys());
    const faults = model.after({ job, from: this.#now, to, whole: answer !== undefined, failed }, sight, stored);
    const lost = [...before].filter((key) => !sight.objects.has(key));
    this.counts.destroyed! += lost.length;
    if (job.kind === "purge" && answer) {
      for (const [path, digest] of everyDigest(this.#place.folder))
        if (model.gone.has(digest)) faults.push(`${path} has the bytes of something that was destroyed`);
      faults.push(...(await this.#certified(job.out, answer, lost)));
    }
    if (faults.length > 0) this.#fail(faults);
  }

  /** The certificate is valid and lists what is gone. */
  async #certified(out: string, answer: Answer, lost: readonly string[]): Promise<string[]> {
    if (answer.value.certificate === null) return lost.map((key) => `${key}: gone without a certificate`);
    this.counts.certificates! += 1;
    const checked = await this.#machine.run({
      at: this.#now,
      job: { kind: "certificate", folder: out, vkey: this.#vkey },
    });
    // Killed while it only read: nothing changed.
    if (checked?.error !== undefined) return [`certificate: ${checked.text}`];
    const lines = readFileSync(`${out}/entries.jsonl`, "utf8").trimEnd().split("\n");
    const told = new Set<string>();
    for (const line of lines) {
      const entry = JSON.parse(JSON.parse(line).entry);
      if (entry.type !== "record.purged") continue;
      for (const { key } of entry.objects) told.add(key);
    }
    return lost.filter((key) => !told.has(key)).map((key) => `${key}: gone, and the certificate does not say so`);
  }

  /** Every ten years: the vault matches its log. */
  async #audit(): Promise<void> {
    let answer: Answer | undefined;
    while (answer === undefined) {
      await this.#do({ kind: "export" }, undefined, true);
      answer = await this.#machine.run({ at: this.#now, job: { kind: "verify" } });
    }
    if (answer?.value === undefined) this.#fail([`verify: ${answer?.text}`]);
    const { found, orphaned } = answer!.value;
    const strays = orphaned.filter(({ key }: { key: string }) => !this.#model.sight.objects.has(key));
    if (found.length + strays.length > 0) this.#fail([JSON.stringify(found), JSON.stringify(strays)]);
  }

  #fail(faults: readonly string[]): never {
    const { seed, ...options } = this.#options;
    assert.fail(
      [
        `seed ${seed}, ${this.#world.people.length} people, ${JSON.stringify(options)}`,
        `rules: ${JSON.stringify(this.#model.law)}`,
        ...faults.slice(0, 12),
        "the last that was done:",
        ...this.#done.slice(-12),
        ...about(faults, this.#done),
      ].join("\n"),
    );
  }
}

/** The history of the subject of the first fault. */
function about([fault = ""]: readonly string[], done: readonly string[]): string[] {
  const [subject] = /[0-9a-f]{32}/.exec(fault) ?? [];
  return subject === undefined ? [] : [`and to ${subject}:`, ...done.filter((line) => line.includes(subject))];
}

function some<T>(random: Random, of: readonly T[]): T[] {
  if (of.length === 0) return [];
  return [...new Set(Array.from({ length: random.integer(1, 5) }, () => random.pick(of)))];
}
