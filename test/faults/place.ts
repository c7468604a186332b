import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { init } from "../../jobs/init.ts";
import { verify } from "../../jobs/verify.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { ErrorCode } from "../../src/core/error.ts";
import { exitCode } from "../../src/core/exit-code.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import type { Patience, Session } from "../../src/session/client.ts";
import type { ExportOptions } from "../../src/session/export-options.ts";
import type { ExportSummary } from "../../src/session/export-summary.ts";
import { refuseUnfinished } from "../../src/session/export-summary.ts";
import { refuseProblems } from "../../src/session/refuse-problems.ts";
import { makeWorkplace, type Section, type Workplace } from "../export/workplace.ts";
import type { Sandbox } from "../sandbox/server.ts";
import { lockedBucket } from "../servers/s3.ts";
import type { StrictOptions } from "../servers/strict-s3/store.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";

/** Three attempts with almost no pause, and timeouts that no busy machine reaches: for runs in which nothing stalls. */
export const brief: Patience = {
  retry: { retries: 2, minDelay: 1, maxDelay: 4, maxRetryAfter: 2_000 },
  timeouts: { connect: 60_000, headers: 60_000, body: 60_000 },
};
/** For what stalls: the same, and gives up on it soon. What does not stall must be three times slower than that to fail. */
export const impatient: Patience = { ...brief, timeouts: { connect: 10_000, headers: 2_000, body: 2_000 } };
/** More attempts: for runs that must succeed. */
export const calm: Patience = { ...brief, retry: { ...brief.retry!, retries: 7, maxDelay: 16 } };

/** Every run must end within this time, in ms. */
const BOUND = 180_000;

/** How one export ended, as a shell and a person see it. */
export interface Attempt {
  readonly exit: number;
  readonly code?: ErrorCode;
  readonly summary?: ExportSummary;
}

/** A workplace whose jobs run in this process, with few attempts. */
export class FaultPlace implements AsyncDisposable {
  readonly work: Workplace;
  readonly sandbox: Sandbox;

  constructor(work: Workplace, sandbox: Sandbox) {
    this.work = work;
    this.sandbox = sandbox;
  }

  async session(changes: Partial<Session> = {}): Promise<Session> {
    const { signal } = new AbortController();
    const clients = [await this.work.client()];
    return { clients, console: quiet, signal, now: systemClock, patience: brief, ...changes };
  }

  /** Runs one export. Asserts that it ends in time. */
  async export(changes: Partial<Session> = {}, options: ExportOptions = {}): Promise<Attempt> {
    const session = await this.session(changes);
    const begun = performance.now();
    let summaries: ExportSummary[] = [];
    try {
      summaries = await exportClients(session, options);
      refuseUnfinished(summaries);
      session.signal.throwIfAborted();
      return { exit: 0, summary: summaries[0]! };
    } catch (error) {
      const { code } = error as { code: ErrorCode };
      return { exit: exitCode(error), code, ...(summaries[0] ? { summary: summaries[0] } : {}) };
    } finally {
      assert.ok(performance.now() - begun < BOUND, `it took ${performance.now() - begun} ms`);
    }
  }

  /**
   * For after a fault: the next run completes, every byte matches the log, and nothing is logged twice.
   * @param listed how many identities there must be; default: all
   */
  async completes(listed: number = this.sandbox.ids().length, now: Clock = later): Promise<ExportSummary> {
    const ended = await this.export({ now, patience: calm });
    assert.deepEqual([ended.exit, ended.code], [0, undefined]);
    await this.isWhole(listed, now);
    return ended.summary!;
  }

  /** Checks that the vault matches the log, and that nothing is logged twice. */
  async isWhole(listed?: number, now: Clock = later): Promise<void> {
    const reports = await verify(await this.session({ now, patience: calm }), { readData: 100 });
    assert.deepEqual(
      reports.flatMap(({ found }) => found),
      [],
    );
    refuseProblems(reports);
    const stored = await this.work.entries("record.stored");
    const versions = stored.map(({ subject, version }) => `${subject} ${version}`);
    assert.equal(new Set(versions).size, versions.length, "a version is logged twice");
    if (listed !== undefined) assert.equal(new Set(stored.map(({ subject }) => subject)).size, listed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.work[Symbol.asyncDispose]();
  }
}

/** A time at which a lease that could not be released has expired. */
export const later: Clock = () => systemClock().add({ minutes: 10 });

const quiet: Console = {
  log: silentLog,
  progress: () => noProgress,
  say: () => {},
  result: () => {},
  error: () => {},
};

/** A place with an empty vault: a directory, or the vault in `client`. */
export async function makePlace(sandbox: Sandbox, client: Section = {}): Promise<FaultPlace> {
  const work = await makeWorkplace(sandbox, { client, init: false });
  const place = new FaultPlace(work, sandbox);
  await init(await place.session());
  return place;
}

/** A place whose vault is a bucket on its own strict S3 server. */
export async function makeStrictPlace(
  sandbox: Sandbox,
  options: StrictOptions = {},
): Promise<{ place: FaultPlace; s3: StrictS3 } & AsyncDisposable> {
  const s3 = await startStrictS3(options);
  const url = `s3://${await lockedBucket(s3.endpoint)}/acme`;
  const place = await makePlace(sandbox, { vault: { url, endpoint: s3.endpoint, forcePathStyle: true } });
  s3.forget();
  return {
    ...{ place, s3 },
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await s3.close();
    },
  };
}

/** Waits until a condition holds, without a clock. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}
