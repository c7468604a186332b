import { setTimeout as delay } from "node:timers/promises";
import type { Queue as BullQueue } from "bullmq";
import type { Redis } from "ioredis";
import { type ErrorCode, HoldfastError } from "../error.ts";
import type { Capture } from "../export/capture.ts";
import type { Parts, Run } from "../export/context.ts";
import type { Candidate } from "../export/plan.ts";
import type { Crew } from "../export/run.ts";
import { plural } from "../observe/figures.ts";
import { errorFields } from "../observe/log.ts";
import { limitsText } from "../source/limits.ts";
import type { Starts } from "../source/starts.ts";
import { type IdentityJob, Job, Queue } from "./bullmq.ts";
import { Dispenser } from "./dispenser.ts";
import { type Names, namesOf, PREFIX } from "./names.ts";
import { unavailable } from "./redis.ts";
import { setStage } from "./stage.ts";
import { difference, jobId, type Messages, type Task, type Terms, termsOf } from "./task.ts";

/** Identities that are with the workers at once, or wait there: some seconds of the work of many. */
const WINDOW = 500;
/** How often results are looked for, and how often whether Redis still has what it was given, in ms. */
const LOOK = 50;
const RECKON = 5_000;
/** Once stopped, what a worker has under way is waited for, in ms: its share of the grace that orchestrators give. */
const PATIENCE = 20_000;

interface Given {
  readonly candidate: Candidate;
  readonly task: Task;
  readonly resolve: (capture: Capture) => void;
  readonly reject: (error: HoldfastError) => void;
  /** Redis has it. */
  sent: boolean;
  /** It was given before: a worker may have stored something of it. */
  again: boolean;
}

/**
 * The crew of a backfill on many machines: gives identities to workers through a queue (BullMQ on Redis), and takes
 * their results. Only this process plans, logs, and grants the starts of requests.
 *
 * The queue is no record of anything. A job is named by its identity, so what an earlier coordinator gave out and did
 * not live to log is met again by the walk, and its result is taken as if it were new; what Redis lost is given again;
 * what is in the log is no candidate any more.
 */
export class Coordinator implements Crew, AsyncDisposable {
  readonly size = WINDOW;
  readonly #redis: Redis;
  readonly #queue: BullQueue;
  readonly #names: Names;
  readonly #messages: Messages;
  readonly #terms: Terms;
  readonly #parts: Parts;
  readonly #starts: Starts;
  readonly #dispenser: Dispenser;
  readonly #given: Map<string, Given> = new Map();
  #workers = 0;
  /** Since when. */
  #stopped: number | undefined;
  #closed = false;
  #run = "";
  readonly #working: Promise<void>;

  private constructor(redis: Redis, parts: Parts, starts: Starts, messages: Messages) {
    this.#redis = redis;
    this.#parts = parts;
    this.#starts = starts;
    this.#messages = messages;
    this.#terms = termsOf(parts.config);
    this.#names = namesOf(parts.config.id);
    this.#queue = new Queue(this.#names.queue, { connection: redis as never, prefix: PREFIX });
    this.#queue.on("error", () => {});
    this.#dispenser = new Dispenser(redis, this.#names, starts);
    this.#working = this.#work();
  }

  /** @param redis its connection, closed by whoever opened it */
  static async open(redis: Redis, parts: Parts, starts: Starts, messages: Messages): Promise<Coordinator> {
    const coordinator = new Coordinator(redis, parts, starts, messages);
    try {
      // What waited was planned by an earlier coordinator: by other terms, perhaps. What failed is tried again.
      await coordinator.#queue.drain(true);
      await coordinator.#queue.clean(0, 2 * WINDOW, "failed");
      return coordinator;
    } catch (error) {
      await coordinator[Symbol.asyncDispose]();
      throw unavailable(redis, error);
    }
  }

  /** Rejects with what the worker failed with, in its words. */
  async capture(run: Run, candidate: Candidate): Promise<Capture> {
    this.#run = run.id;
    return this.#give(candidate, run.lookFirst, run);
  }

  async settled(candidate: Candidate): Promise<void> {
    // Redis may be away; what is left there is cleared at the end.
    await Promise.race([this.#queue.remove(jobId(candidate)).catch(() => {}), delay(1_000, undefined, { ref: false })]);
  }

  get requests(): number {
    return this.#dispenser.count;
  }

  get note(): string {
    return `${plural(this.#workers, "worker")}, ${limitsText(this.#starts.view)}`;
  }

  /** Gives nothing more, and takes back what no worker has begun. */
  stop(): void {
    this.#stopped ??= performance.now();
  }

  /** The backfill has come to its end: workers may go. Otherwise they wait for the next coordinator. */
  async end(): Promise<void> {
    try {
      await setStage(this.#redis, this.#names.stage, { run: this.#run, is: "ended" });
      await this.#queue.obliterate({ force: true });
    } catch (error) {
      const fields = errorFields(unavailable(this.#redis, error));
      this.#parts.log.warn("workers could not be told of the end", { client: this.#parts.config.id, ...fields });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#dispenser.stop();
    await this.#queue.close();
  }

  #give(candidate: Candidate, lookFirst: boolean, { catalog, project }: Run): Promise<Capture> {
    const id = jobId(candidate);
    const { subject, listed } = candidate;
    const kept = {
      known: catalog.known(subject),
      versions: catalog.versions(subject),
      purged: catalog.life.hasDeparted(subject) ? catalog.life.purgedVersions(subject) : [],
      // One whose purge was stopped may be gone: it is fetched again.
      files: catalog
        .files(subject)
        .filter(({ key }) => catalog.life.purge(key) !== "begun")
        .map(({ lockMode: _, ...file }) => file),
      hadContent: catalog.hadContent(subject),
    };
    const task = { id: candidate.id, listed, kept, project, terms: this.#terms, lookFirst };
    const { promise, resolve, reject } = Promise.withResolvers<Capture>();
    this.#given.set(id, { candidate, task, resolve, reject, sent: false, again: false });
    return promise;
  }

  async #work(): Promise<void> {
    let reckoned = Number.NEGATIVE_INFINITY;
    while (!this.#closed) {
      try {
        if (this.#parts.signal.aborted) this.stop();
        if (this.#stopped === undefined) await this.#send();
        else await this.#takeBack(performance.now() - this.#stopped > PATIENCE);
        await this.#collect();
        if (performance.now() - reckoned > RECKON) {
          reckoned = performance.now();
          await this.#reckon();
        }
      } catch {
        // Redis went: it comes back by itself, and `#reckon` finds what it lost.
        reckoned = Number.NEGATIVE_INFINITY;
      }
      await delay(LOOK);
    }
  }

  async #send(): Promise<void> {
    const unsent = [...this.#given].filter(([, { sent }]) => !sent);
    if (unsent.length === 0) return;
    const jobs = unsent.map(([jobId, { candidate, task, again }]) => ({
      name: candidate.subject,
      data: this.#messages.closeTask(jobId, { ...task, lookFirst: task.lookFirst || again }),
      opts: { jobId, removeOnComplete: false, removeOnFail: false },
    }));
    await this.#queue.addBulk(jobs);
    for (const [, given] of unsent) {
      given.sent = true;
      given.again = true;
    }
  }

  async #collect(): Promise<void> {
    const [completed, failed] = await Promise.all(
      (["completed", "failed"] as const).map((state) => this.#redis.zrange(this.#queue.toKey(state), "0", "-1")),
    );
    await Promise.all([...completed!, ...failed!].filter((id) => this.#given.has(id)).map((id) => this.#take(id)));
  }

  async #take(id: string): Promise<void> {
    const job = await Job.fromId<string, string>(this.#queue, id);
    const given = this.#given.get(id);
    if (!job || !given) return;
    const outcome = this.#outcomeOf(job, given);
    if (outcome === "again") {
      await job.remove();
      given.sent = false;
      return;
    }
    this.#given.delete(id);
    if ("capture" in outcome) given.resolve(outcome.capture);
    else {
      // A failure is not for the next coordinator: it tries again.
      await job.remove().catch(() => {});
      given.reject(outcome.error);
    }
  }

  #outcomeOf(job: IdentityJob, { candidate }: Given): { capture: Capture } | { error: HoldfastError } | "again" {
    // The worker died in it, and the next, and the next.
    if (job.failedReason) {
      return {
        error: new HoldfastError(
          "internal",
          "every worker that took this identity died in it, or could not read its task",
          {
            mend: "See the workers' logs.",
          },
        ),
      };
    }
    try {
      const result = this.#messages.openResult(job.id!, candidate.subject, job.returnvalue);
      if (difference(this.#terms, result.terms)) return "again";
      if ("capture" in result) return result;
      const { code, message, mend } = result.failure;
      return { error: new HoldfastError(code as ErrorCode, message, { mend }) };
    } catch (error) {
      if (error instanceof HoldfastError) return { error };
      return { error: new HoldfastError("malformed", "a worker's result cannot be read", { cause: error }) };
    }
  }

  /** Says that this backfill is alive, counts the workers, and gives again what Redis has no more. */
  async #reckon(): Promise<void> {
    await setStage(this.#redis, this.#names.stage, { run: this.#run || "begun", is: "open" });
    this.#workers = await this.#queue.getWorkersCount().catch(() => this.#workers);
    const sent = [...this.#given].filter(([, given]) => given.sent);
    const there = await Promise.all(sent.map(([id]) => this.#redis.exists(this.#queue.toKey(id))));
    for (const [at, [, given]] of sent.entries()) if (there[at] === 0) given.sent = false;
  }

  /** What no worker has begun is nobody's; what one has under way may come to its end. */
  async #takeBack(all: boolean): Promise<void> {
    for (const [id, given] of this.#given) {
      const begun = given.sent && !all && (await this.#isActive(id));
      if (begun) continue;
      this.#given.delete(id);
      // Not waited for: Redis may be what is wrong.
      if (given.sent) void this.#queue.remove(id).catch(() => {});
      given.reject(new HoldfastError("interrupted", "interrupted while it waited for a worker"));
    }
  }

  async #isActive(id: string): Promise<boolean> {
    const state = await this.#queue.getJobState(id);
    return state === "active" || state === "completed" || state === "failed";
  }
}
