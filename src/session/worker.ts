import PQueue from "p-queue";
import type { ClientConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import { askedSources, placeOf } from "../config/sources.ts";
import { steady } from "../core/clock.ts";
import { firstThrown, HoldfastError } from "../core/error.ts";
import { bytes, number } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { Sealer } from "../seal/seal.ts";
import { limitsText } from "../source/rate/limits.ts";
import type { RedisAddress } from "../workers/address.ts";
import { connectRedis } from "../workers/redis.ts";
import { namesOf } from "../workers/redis-keys.ts";
import { RemoteStarts } from "../workers/remote-starts.ts";
import { runWorker, type WorkerTally } from "../workers/worker.ts";
import { messagesOf, openClientVault, openTokens, type Session } from "./client.ts";
import type { ClientFailure } from "./each-client.ts";
import { noneAsked } from "./each-source.ts";
import { openSourceWith } from "./open-source.ts";

/**
 * Works for the backfills of these clients until each has ended, or until the signal. It has no log key and writes no
 * log. It needs the source, lookup and vault keys of its clients only.
 */
export async function workForClients(
  session: Session,
  address: RedisAddress,
  onFailure: (failure: ClientFailure) => void,
): Promise<(WorkerTally & { client: string; source: string })[]> {
  // In parallel, because a backfill may take days. One client's failure does not stop the others.
  const each = session.clients.map(async (config) => {
    try {
      return [await workFor(config, session, address)];
    } catch (thrown) {
      const error = firstThrown(thrown);
      if (session.clients.length > 1)
        session.console.log.error("client failed", { client: config.id, ...errorFields(error) });
      onFailure({ client: config.id, error });
      return [];
    }
  });
  return (await Promise.all(each)).flat();
}

async function workFor(
  config: ClientConfig,
  session: Session,
  address: RedisAddress,
): Promise<WorkerTally & { client: string; source: string }> {
  const sourceConfig = onlySource(config);
  const { console, signal } = session;
  await using opened = new AsyncDisposableStack();
  const { vault, description } = opened.use(await openClientVault(config, session));
  const tokens = await openTokens(config, description);
  const redis = await connectRedis(address, (error) =>
    console.log.warn("lost the connection to Redis", { client: config.id, ...errorFields(error) }),
  );
  opened.defer(() => redis.disconnect());
  const starts = new RemoteStarts(redis, namesOf(config.id, sourceConfig.name), sourceConfig.rate, signal);
  opened.defer(() => starts.close());
  const { source } = opened.use(await openSourceWith(starts, config.id, sourceConfig, session));
  using progress = console.progress(`${placeOf(config, sourceConfig.name)}: identities`);
  const tally = await runWorker({
    redis,
    messages: await messagesOf(config),
    parts: {
      config,
      source,
      sourceConfig,
      sealer: new Sealer(config.recipients),
      tokens,
      vault,
      vaultQueue: new PQueue({ concurrency: config.vault.concurrency }),
      conditional: description.store ?? { ifNoneMatch: false, ifMatch: false },
      now: steady(session.now),
      log: console.log,
      holds: () => starts.checkClock(),
    },
    signal,
    onDone: ({ new: fresh, changed, failed, unchanged, gone }) =>
      progress.update(
        fresh + changed + failed + unchanged + gone,
        undefined,
        () => `${number(fresh)} new, ${number(failed)} failed, provider: ${limitsText(starts.view)} for all workers`,
      ),
  });
  progress.end();
  console.say(
    `${placeOf(config, sourceConfig.name)}: ${signal.aborted ? "stopped" : "the backfill has ended"}; ${number(tally.new)} new, ${number(tally.changed)} changed, ${number(tally.failed)} failed, ${bytes(tally.bytes)} sealed here`,
  );
  return { client: config.id, source: sourceConfig.name, ...tally };
}

/** A worker works for one backfill, which is of one source. */
function onlySource(config: ClientConfig): ActiveSourceConfig {
  const [source, ...others] = askedSources(config);
  if (source && others.length === 0) return source;
  if (source === undefined)
    throw new HoldfastError("usage", `${config.id}: ${noneAsked(config)}, so there is nothing to work for`, {
      hint: "Remove `retired: true` in the config, or name another client with --client.",
    });
  throw new HoldfastError("usage", `a worker works for one source, but ${config.id} has several`, {
    hint: `Add --source <name>: ${[source, ...others].map(({ name }) => name).join(" or ")}.`,
  });
}
