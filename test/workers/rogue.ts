import { setTimeout as delay } from "node:timers/promises";
import { UnrecoverableError } from "bullmq";
import { Redis } from "ioredis";
import PQueue from "p-queue";
import { activeSources } from "../../src/config/sources.ts";
import { systemClock } from "../../src/core/clock.ts";
import { captureIdentity } from "../../src/export/capture.ts";
import { silentLog } from "../../src/observe/log.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { Box } from "../../src/seal/secretbox.ts";
import { messagesOf, openClientVault, openTokens } from "../../src/session/client.ts";
import { openSource } from "../../src/session/open-source.ts";
import { WaitingError, Worker } from "../../src/workers/bullmq.ts";
import { namesOf, PREFIX } from "../../src/workers/redis-keys.ts";
import type { WorkerResult } from "../../src/workers/result.ts";
import { backfillTerms, keptOf } from "../../src/workers/task.ts";
import { session } from "../crash/aftermath.ts";
import type { Workplace } from "../export/workplace.ts";

/** A rogue's answer in place of the honest one. Undefined if the lie does not apply to this identity. */
export type Lie = (honest: WorkerResult & { capture: unknown }, tools: Tools) => unknown;

export interface Tools {
  readonly job: string;
  readonly subject: string;
  /** Another identity of the same client. */
  readonly other: string;
  /** Closes any text as a result of this job, or with another context. */
  close(text: string, context?: string): string;
  /** Closes a text with another key. */
  closeForeign(text: string): string;
  /** Makes the job fail. */
  fail(): never;
}

/**
 * A compromised worker: it has everything a worker has, stores what it should, and lies about it. Each lie is about one
 * identity. Identities without a lie go back to the other workers. Resolves with the subjects by lie.
 */
export async function lieAll(
  place: Workplace,
  redisUrl: string,
  lies: ReadonlyMap<string, Lie>,
  others: readonly string[],
  /** How often to use a lie, if more than once. */
  often: ReadonlyMap<string, number> = new Map(),
): Promise<Map<string, string>> {
  const here = await session(place);
  const config = await place.client();
  const sourceConfig = activeSources(config)[0]!;
  const { vault, description } = await openClientVault(config, here);
  const tokens = await openTokens(config, description);
  const { source } = await openSource(config, sourceConfig, here, "low");
  const messages = await messagesOf(config);
  const key = await config.lookups.key.resolve();
  const box = new Box(key, "backfill workers");
  const foreign = new Box(key, "someone else");
  const parts = {
    ...{ config, source, sourceConfig, tokens, vault, now: systemClock, log: silentLog },
    ...{ sealer: new Sealer(config.recipients) },
    ...{ vaultQueue: new PQueue({ concurrency: 4 }), conditional: { ifNoneMatch: true, ifMatch: true } },
    ...{ holds: () => {}, again: false as const },
  };
  const terms = backfillTerms(config, sourceConfig);
  const left = new Map([...lies.keys()].map((name) => [name, often.get(name) ?? 1]));
  const told = new Map<string, string>();
  const done = Promise.withResolvers<void>();
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const work = async (
    job: { id?: string | undefined; data: string; moveToWait(token?: string): Promise<unknown> },
    token?: string,
  ) => {
    const id = job.id!;
    const [subject = ""] = id.split(".");
    const task = messages.openTask(id, job.data);
    const candidate = { id: task.id, subject, listed: task.listed, way: "list" } as const;
    const capturing = { ...parts, project: task.project };
    const honest = { terms, capture: await captureIdentity(capturing, candidate, keptOf(task.kept)) };
    const tools: Tools = {
      ...{ job: id, subject, other: others.find((each) => each !== subject)! },
      close: (text, context = `result ${id}`) => box.close(text, context),
      closeForeign: (text) => foreign.close(text, `result ${id}`),
      fail: () => {
        throw new UnrecoverableError("so it says");
      },
    };
    const own = [...told].find(([, of]) => of === subject)?.[0];
    for (const [name, times] of left) {
      if (own !== undefined && own !== name) continue;
      if (own === undefined && told.has(name)) continue;
      // As it would be read from Redis.
      const answer = tell(lies.get(name)!, JSON.parse(JSON.stringify(honest)), tools);
      if (answer === undefined) continue;
      told.set(name, subject);
      if (times > 1) left.set(name, times - 1);
      else left.delete(name);
      if (left.size === 0) done.resolve();
      if (answer instanceof Error) throw answer;
      return (typeof answer === "string" ? answer : box.close(JSON.stringify(answer), `result ${id}`)) as string;
    }
    // Otherwise it would get the returned job again.
    await delay(300);
    await job.moveToWait(token);
    throw new WaitingError();
  };
  const worker = new Worker<string, string>(namesOf(config.id, sourceConfig.name).queue, work as never, {
    ...{ connection: redis as never, prefix: PREFIX, concurrency: 200, lockDuration: 15_000 },
  });
  worker.on("error", () => {});
  await done.promise;
  await worker.close();
  redis.disconnect();
  await source.close();
  await vault.close();
  return told;
}

function tell(lie: Lie, honest: WorkerResult & { capture: unknown }, tools: Tools): unknown {
  try {
    return lie(honest, tools);
  } catch (error) {
    return error;
  }
}
