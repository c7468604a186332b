import { join } from "node:path";
import type { ActiveSourceConfig, ClientConfig } from "../config/config.ts";
import { closedBy } from "../io/closing.ts";
import { defaultRetry } from "../io/retry.ts";
import { errorFields } from "../observe/log.ts";
import { openDriver } from "../source/drivers.ts";
import { type HttpOptions, ownStarts } from "../source/http.ts";
import type { Priority } from "../source/rate/claim.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "./client.ts";

/** One source of a client, with its rate limits. */
export interface OpenSource {
  readonly source: Source;
  readonly starts: Starts;
  /** Retries so far. */
  readonly retries: () => number;
}

/**
 * One source of a client. All processes of this machine share its limits.
 * @param priority relative to other jobs of this machine
 * @param isShared false before `init`: nothing is written to the state
 */
export async function openSource(
  { id, state }: ClientConfig,
  config: ActiveSourceConfig,
  session: Session,
  priority: Priority,
  { isShared = true } = {},
): Promise<OpenSource & AsyncDisposable> {
  const { rate } = config;
  const shared = {
    path: join(state, limitsFile(config.name)),
    priority,
    onTrouble: (error: unknown) =>
      session.console.log.warn("rate limits are not shared with other processes", {
        client: id,
        source: config.name,
        ...errorFields(error),
      }),
  };
  const onWait = (until: number, why: string) =>
    session.console.log.warn("the source asked to wait until this time", {
      client: id,
      source: config.name,
      due: new Date(until).toISOString(),
      error: `asked for by ${why}`,
    });
  return openSourceWith(
    ownStarts({ rate, ...(isShared ? { share: shared } : {}), signal: session.signal, onWait }),
    id,
    config,
    session,
  );
}

/** The name of the file with a source's limits. The first source of all versions before `sources` was called passbase. */
function limitsFile(name: string): string {
  return name === "passbase" ? "limits.sqlite" : `limits-${name}.sqlite`;
}

/** The source, for a worker whose coordinator grants each request's start. */
export async function openSourceWith(
  starts: Starts,
  client: string,
  config: ActiveSourceConfig,
  { signal, patience, metrics }: Session,
): Promise<OpenSource & AsyncDisposable> {
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  let retries = 0;
  const measured = metrics?.client(client);
  const options: HttpOptions = {
    url: config.url,
    rate: config.rate,
    concurrency: config.concurrency,
    ...bounds,
    apiKey: await config.apiKey.resolve(),
    retry,
    signal,
    starts,
    renewKey: () => config.apiKey.resolve(),
    onRetry: () => {
      retries += 1;
      measured?.retried("source");
    },
    onRequest: measured && ((...request) => measured.requested("source", ...request)),
  };
  const source = openDriver(config, options);
  const closes = new AsyncDisposableStack();
  closes.defer(() => source.close());
  return closedBy<OpenSource>({ source, starts, retries: () => retries }, closes);
}
