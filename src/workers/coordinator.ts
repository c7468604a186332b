import { setTimeout as delay } from "node:timers/promises";
import type { Queue as BullQueue } from "bullmq";
import type { Redis } from "ioredis";
import { HoldfastError } from "../core/error.ts";
import type { Capture } from "../export/capture.ts";
import type { Exporting, Run } from "../export/context.ts";
import type { Candidate } from "../export/plan.ts";
import type { Crew } from "../export/run.ts";
import { plural } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { limitsText } from "../source/rate/limits.ts";
import { Queue } from "./bullmq.ts";
import { Checker } from "./checker.ts";
import { Dispenser } from "./dispenser.ts";
import { unavailable } from "./redis.ts";
import { type Names, namesOf, PREFIX, setStage } from "./redis-keys.ts";
import { isStale, refuseUnfit } from "./result.ts";
import { type BackfillTerms, difference, jobId, keptFor, type Messages, type Task, termsOf } from "./task.ts";

/** Identities that are with the workers at once, or wait there: some seconds of the work of many. */
const WINDOW = 500;
/** How often results are looked for, and how often whether Redis still has what it was given, in ms. */
const LOOK = 50;
const RECKON = 5_000;
/** Once stopped, what a worker has under way is waited for, in ms: its share of the grace that orchestrators give. */
const PATIENCE = 20_000;
/** How often an identity is given again because its result was made by other terms, or long ago. */
const AGAIN = 3;

interface Given {
  readonly candidate: Candidate;
  readonly task: Task;
  readonly resolve: (capture: Capture) => void;
  readonly reject: (error: HoldfastError) => void;
  /** Redis has it. */
  sent: boolean;
  /** How often its result was one of other terms, or too old. */
  again: number;
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
  readonly #terms: BackfillTerms;
  readonly #exporting: Exporting;
  readonly #dispenser: Dispenser;
  readonly #checker: Checker;
  readonly #given: Map<string, Given> = new Map();
  #workers = 0;
  /** Since when. */
  #stopped: number | undefined;
  #closed = false;
  #run = "";
  readonly #working: Promise<void>;

  private constructor(redis: Redis, exporting: Exporting, messages: Messages) {
    const { config, starts } = exporting;
    this.#redis = redis;
    this.#exporting = exporting;
    this.#messages = messages;
    this.#terms = termsOf(config);
    this.#names = namesOf(config.id);
    this.#queue = new Queue(this.#names.queue, { connection: redis as never, prefix: PREFIX });
    this.#queue.on("error", () => {});
    this.#dispenser = new Dispenser(redis, this.#names, starts);
    this.#checker = new Checker(exporting);
    this.#working = this.#work();
  }

  /** @param redis its connection, closed by whoever opened it */
  static async open(redis: Redis, exporting: Exporting, messages: Messages): Promise<Coordinator> {
    const coordinator = new Coordinator(redis, exporting, messages);
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

  /** Rejects with what the worker failed with, in its words; and where its result is not one that can be logged. */
  async capture(run: Run, candidate: Candidate): Promise<Capture> {
    this.#run = run.id;
    return this.#give(candidate, run);
  }

  async settled(candidate: Candidate): Promise<void> {
    // Redis may be away; what is left there is cleared at the end.
    await Promise.race([this.#queue.remove(jobId(candidate)).catch(() => {}), delay(1_000, undefined, { ref: false })]);
  }

  get requests(): number {
    return this.#dispenser.count;
  }

  get note(): string {
    return `${plural(this.#workers, "worker")}, ${limitsText(this.#exporting.starts.view)}`;
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
      this.#exporting.log.warn("workers could not be told of the end", {
        client: this.#exporting.config.id,
        ...fields,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#dispenser.stop();
    await this.#queue.close();
  }

  #give(candidate: Candidate, run: Run): Promise<Capture> {
    const { id, subject, listed } = candidate;
    const task = { id, listed, kept: keptFor(run, subject), project: run.project, terms: this.#terms };
    const { promise, resolve, reject } = Promise.withResolvers<Capture>();
    this.#given.set(jobId(candidate), { candidate, task, resolve, reject, sent: false, again: 0 });
    return promise;
  }

  async #work(): Promise<void> {
    let reckoned = Number.NEGATIVE_INFINITY;
    while (!this.#closed) {
      try {
        if (this.#exporting.signal.aborted) this.stop();
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
    const jobs = unsent.map(([jobId, { candidate, task }]) => ({
      name: candidate.subject,
      data: this.#messages.closeTask(jobId, task),
      opts: { jobId, removeOnComplete: false, removeOnFail: false },
    }));
    await this.#queue.addBulk(jobs);
    for (const [, given] of unsent) given.sent = true;
  }

  async #collect(): Promise<void> {
    const [completed, failed] = await Promise.all(
      (["completed", "failed"] as const).map((state) => this.#redis.zrange(this.#queue.toKey(state), "0", "-1")),
    );
    await Promise.all([...completed!, ...failed!].filter((id) => this.#given.has(id)).map((id) => this.#take(id)));
  }

  async #take(id: string): Promise<void> {
    const given = this.#given.get(id);
    // Not through BullMQ's own reading of a job: anyone who has Redis can have written any of its fields.
    const [made, failed, returned] = await this.#fieldsOf(id, "timestamp", "failedReason", "returnvalue");
    if (!given || made === null) return;
    const outcome = await this.#outcomeOf(id, given, failed ?? null, returned ?? null);
    if (outcome === "again") {
      await this.#queue.remove(id);
      given.sent = false;
      return;
    }
    this.#given.delete(id);
    if ("capture" in outcome) given.resolve(outcome.capture);
    else {
      // A failure is not for the next coordinator: it tries again.
      await this.#queue.remove(id).catch(() => {});
      given.reject(outcome.error);
    }
  }

  /** A job that is no hash reads as one without a result. */
  async #fieldsOf(id: string, ...names: string[]): Promise<(string | null)[]> {
    try {
      return await this.#redis.hmget(this.#queue.toKey(id), ...names);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return [];
      throw error;
    }
  }

  /** What comes out of one job concerns its identity alone: nothing of it may end the run, or hold up the others. */
  async #outcomeOf(
    id: string,
    given: Given,
    failed: string | null,
    returned: string | null,
  ): Promise<{ capture: Capture } | { error: HoldfastError } | "again"> {
    // The worker died in it, and the next, and the next.
    if (failed) {
      const what = "every worker that took this identity died in it, or could not read its task";
      return { error: new HoldfastError("internal", what, { hint: "See the workers' logs." }) };
    }
    const { candidate, task } = given;
    const asked = { candidate, kept: task.kept, config: this.#exporting.config, now: this.#exporting.now() };
    try {
      const result = this.#messages.openResult(id, unquoted(returned));
      const differs = difference(this.#terms, result.terms);
      if (!differs && "failure" in result) {
        const { code, message, hint } = result.failure;
        return { error: new HoldfastError(code, message, { hint }) };
      }
      if (!differs && "capture" in result) {
        refuseUnfit(result.capture, asked);
        if (!isStale(result.capture, asked)) {
          await this.#checker.check(result.capture);
          return result;
        }
      }
      if (++given.again < AGAIN) return "again";
      // The worker's own name of a field is not repeated.
      const field = differs && (differs in this.#terms ? differs : "a field that this one does not have");
      const what = field ? `a worker's config differs in ${field}` : "a worker's result is of another day";
      return { error: new HoldfastError("malformed", what, { hint: "Give all of them the same config and time." }) };
    } catch (error) {
      if (error instanceof HoldfastError) return { error };
      return { error: new HoldfastError("malformed", "a worker's result cannot be used", { cause: error }) };
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

  /** What no worker has begun is no one's; what one has under way may come to its end. */
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

/** A job's return value, as BullMQ writes it. */
function unquoted(returned: string | null): unknown {
  try {
    return JSON.parse(returned ?? "null");
  } catch {
    return null;
  }
}
