import { join } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import { closedBy } from "../io/closing.ts";
import { defaultRetry } from "../io/retry.ts";
import { errorFields } from "../observe/log.ts";
import { type HttpOptions, ownStarts } from "../source/http.ts";
import { PassbaseSource } from "../source/passbase/passbase.ts";
import type { Priority } from "../source/rate/claim.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "./client.ts";

/** A client's source, with its rate limits. */
export interface OpenSource {
  readonly source: Source;
  readonly starts: Starts;
  /** Retries so far. */
  readonly retries: () => number;
}

/**
 * The client's source. All processes of this machine share its limits.
 * @param priority relative to other jobs of this machine
 * @param isShared false before `init`: nothing is written to the state
 */
export async function openSource(
  config: ClientConfig,
  session: Session,
  priority: Priority,
  { isShared = true } = {},
): Promise<OpenSource & AsyncDisposable> {
  const { rate } = config.source;
  const shared = {
    path: join(config.state, "limits.sqlite"),
    priority,
    onTrouble: (error: unknown) =>
      session.console.log.warn("rate limits are not shared with other processes", {
        client: config.id,
        ...errorFields(error),
      }),
  };
  const onWait = (until: number, why: string) =>
    session.console.log.warn("the source asked to wait until this time", {
      client: config.id,
      due: new Date(until).toISOString(),
      error: `asked for by ${why}`,
    });
  return openSourceWith(
    ownStarts({ rate, ...(isShared ? { share: shared } : {}), signal: session.signal, onWait }),
    config,
    session,
  );
}

/** The client's source, for a worker whose coordinator grants each request's start. */
export async function openSourceWith(
  starts: Starts,
  config: ClientConfig,
  { signal, patience, metrics }: Session,
): Promise<OpenSource & AsyncDisposable> {
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  let retries = 0;
  const measured = metrics?.client(config.id);
  const options: HttpOptions = {
    ...config.source,
    ...bounds,
    apiKey: await config.source.apiKey.resolve(),
    retry,
    signal,
    starts,
    renewKey: () => config.source.apiKey.resolve(),
    onRetry: () => {
      retries += 1;
      measured?.retried("source");
    },
    onRequest: measured && ((...request) => measured.requested("source", ...request)),
  };
  const source = new PassbaseSource(options);
  const closes = new AsyncDisposableStack();
  closes.defer(() => source.close());
  return closedBy<OpenSource>({ source, starts, retries: () => retries }, closes);
}
