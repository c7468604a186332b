import { setTimeout as delay } from "node:timers/promises";
import type { Queue as BullQueue } from "bullmq";
import type { Redis } from "ioredis";
import { HoldfastError } from "../core/error.ts";
import type { Capture } from "../export/capture.ts";
import type { Exporting, Run } from "../export/context.ts";
import type { Crew } from "../export/crew.ts";
import type { Candidate } from "../export/plan.ts";
import { plural } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { limitsText } from "../source/rate/limits.ts";
import { Queue } from "./bullmq.ts";
import { Dispenser } from "./dispenser.ts";
import { ResultJudge } from "./judge.ts";
import { unavailable } from "./redis.ts";
import { type Names, namesOf, PREFIX, setStage } from "./redis-keys.ts";
import { type BackfillTerms, backfillTerms, jobId, keptFor, type Messages, type Task } from "./task.ts";

/** How many identities may be with the workers or in their queue: a few seconds of work for many workers. */
const WINDOW = 500;
/** How often to look for results, and how often to check that Redis still has all jobs, in ms. */
const LOOK = 50;
const RECKON = 5_000;
/** After a stop, how long to wait for the workers' current jobs, in ms: a part of an orchestrator's grace period. */
const PATIENCE = 20_000;
/** How often to hand out an identity again because its result is outdated or was made with another config. */
const AGAIN = 3;

interface Given {
  readonly candidate: Candidate;
  readonly task: Task;
  readonly resolve: (capture: Capture) => void;
  readonly reject: (error: HoldfastError) => void;
  /** Whether Redis has the job. */
  sent: boolean;
  /** How often its result was outdated or made with another config. */
  again: number;
}

/**
 * Runs a backfill on many machines: hands identities to workers through a queue (BullMQ on Redis) and collects their
 * results. Only this process plans, logs, and grants requests.
 *
 * The queue is not a record. A job's name comes from its identity, so if an earlier coordinator died before logging a
 * result, the walk comes to that identity again and uses the result. Jobs that Redis lost are sent again. Identities in
 * the log are no longer candidates.
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
  readonly #judge: ResultJudge;
  readonly #given: Map<string, Given> = new Map();
  #workers = 0;
  /** When it was stopped. */
  #stopped: number | undefined;
  #closed = false;
  #run = "";
  readonly #working: Promise<void>;

  private constructor(redis: Redis, exporting: Exporting, messages: Messages) {
    const { config, sourceConfig, starts } = exporting;
    this.#redis = redis;
    this.#exporting = exporting;
    this.#messages = messages;
    this.#terms = backfillTerms(config, sourceConfig);
    this.#names = namesOf(config.id, sourceConfig.name);
    this.#queue = new Queue(this.#names.queue, { connection: redis as never, prefix: PREFIX });
    this.#queue.on("error", () => {});
    this.#dispenser = new Dispenser(redis, this.#names, starts);
    this.#judge = new ResultJudge(exporting, messages, this.#terms);
    this.#working = this.#work();
  }

  /** @param redis its connection, which the caller closes */
  static async open(redis: Redis, exporting: Exporting, messages: Messages): Promise<Coordinator> {
    const coordinator = new Coordinator(redis, exporting, messages);
    try {
      // Drop waiting jobs of an earlier coordinator, which may have had another config. Failed ones are tried again.
      await coordinator.#queue.drain(true);
      await coordinator.#queue.clean(0, 2 * WINDOW, "failed");
      return coordinator;
    } catch (error) {
      await coordinator[Symbol.asyncDispose]();
      throw unavailable(redis, error);
    }
  }

  /** Rejects with the worker's error, or if its result cannot be logged. */
  async capture(run: Run, candidate: Candidate): Promise<Capture> {
    this.#run = run.id;
    return this.#give(candidate, run);
  }

  async settled(candidate: Candidate): Promise<void> {
    // Redis may be down. The rest is removed at the end.
    await Promise.race([this.#queue.remove(jobId(candidate)).catch(() => {}), delay(1_000, undefined, { ref: false })]);
  }

  get requests(): number {
    return this.#dispenser.count;
  }

  get note(): string {
    return `${plural(this.#workers, "worker")}, provider: ${limitsText(this.#exporting.starts.view)}`;
  }

  /** Hands out nothing more, and takes back jobs that no worker has started. */
  stop(): void {
    this.#stopped ??= performance.now();
  }

  /** Tells workers that the backfill has finished, so they exit. Otherwise they wait for the next coordinator. */
  async end(): Promise<void> {
    try {
      await setStage(this.#redis, this.#names.stage, { run: this.#run, is: "ended" });
      await this.#queue.obliterate({ force: true });
    } catch (error) {
      const fields = errorFields(unavailable(this.#redis, error));
      this.#exporting.log.warn("cannot tell the workers that the backfill has finished", {
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
        this.#endIfSpent();
        if (performance.now() - reckoned > RECKON) {
          reckoned = performance.now();
          await this.#reckon();
        }
      } catch {
        // Redis is down. It reconnects by itself, and `#reckon` finds the jobs it lost.
        reckoned = Number.NEGATIVE_INFINITY;
      }
      await delay(LOOK);
    }
  }

  /** Workers wait for starts that the dispenser no longer grants, so no result will come. */
  #endIfSpent(): void {
    const { spent } = this.#dispenser;
    if (spent === undefined) return;
    for (const { reject } of this.#given.values()) reject(spent);
    this.#given.clear();
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
    // Do not use BullMQ to read a job: anyone with access to Redis may have written any of its fields.
    const [made, failed, returned] = await this.#fieldsOf(id, "timestamp", "failedReason", "returnvalue");
    if (!given || made === null) return;
    const result = await this.#judge.judge(id, given, failed ?? null, returned ?? null);
    if ("outdated" in result && given.again + 1 < AGAIN) {
      await this.#queue.remove(id);
      // Only now: a connection that drops before costs no attempt.
      given.again += 1;
      given.sent = false;
      return;
    }
    this.#given.delete(id);
    if ("capture" in result) given.resolve(result.capture);
    else {
      // Do not leave a failure for the next coordinator, which should retry.
      await this.#queue.remove(id).catch(() => {});
      given.reject("outdated" in result ? result.outdated : result.error);
    }
  }

  /** A job that is not a Redis hash counts as one without a result. */
  async #fieldsOf(id: string, ...names: string[]): Promise<(string | null)[]> {
    try {
      return await this.#redis.hmget(this.#queue.toKey(id), ...names);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("WRONGTYPE")) return [];
      throw error;
    }
  }

  /** Signals that this backfill is alive, counts the workers, and sends jobs again that Redis lost. */
  async #reckon(): Promise<void> {
    await setStage(this.#redis, this.#names.stage, { run: this.#run || "begun", is: "open" });
    this.#workers = await this.#queue.getWorkersCount().catch(() => this.#workers);
    const sent = [...this.#given].filter(([, given]) => given.sent);
    const there = await Promise.all(sent.map(([id]) => this.#redis.exists(this.#queue.toKey(id))));
    for (const [at, [, given]] of sent.entries()) if (there[at] === 0) given.sent = false;
  }

  /** Takes back jobs that no worker has started. Jobs in progress may finish. */
  async #takeBack(all: boolean): Promise<void> {
    for (const [id, given] of this.#given) {
      const begun = given.sent && !all && (await this.#isActive(id));
      if (begun) continue;
      this.#given.delete(id);
      // Do not wait: Redis may be the problem.
      if (given.sent) void this.#queue.remove(id).catch(() => {});
      given.reject(new HoldfastError("interrupted", "interrupted while waiting for a worker"));
    }
  }

  async #isActive(id: string): Promise<boolean> {
    const state = await this.#queue.getJobState(id);
    return state === "active" || state === "completed" || state === "failed";
  }
}
