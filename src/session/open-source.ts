import type { ClientConfig } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import type { ActiveSourceConfig, KeyedSourceConfig } from "../config/source-config.ts";
import { HoldfastError } from "../core/error.ts";
import { closedBy } from "../io/closing.ts";
import { defaultRetry } from "../io/retry.ts";
import { errorFields } from "../observe/log.ts";
import { type DriverOptions, openDriver, openKeyless } from "../source/drivers.ts";
import { ownStarts } from "../source/http-limits.ts";
import type { HttpOptions } from "../source/http-options.ts";
import type { Priority } from "../source/rate/claim.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "./client.ts";
import { limitsPath } from "./source-limits.ts";

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
  const { rate, budget } = config;
  const shared = {
    path: limitsPath({ state }, config.name),
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
  const share = isShared ? { share: shared } : {};
  return openSourceWith(
    ownStarts({
      rate,
      ...(budget === undefined ? {} : { budget }),
      ...share,
      signal: session.signal,
      onWait,
      clock: session.now,
    }),
    id,
    config,
    session,
    { ...share, onWait },
  );
}

/**
 * The source, for a worker whose coordinator grants each request's start.
 * @param endpoints for limits of single endpoints, which `starts` does not grant
 */
export async function openSourceWith(
  starts: Starts,
  client: string,
  config: ActiveSourceConfig,
  { signal, patience, metrics, now }: Session,
  endpoints: Pick<HttpOptions, "share" | "onWait"> = {},
): Promise<OpenSource & AsyncDisposable> {
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  let retries = 0;
  const measured = metrics?.client(client);
  const options = {
    source: config.name,
    url: config.url,
    rate: config.rate,
    concurrency: config.concurrency,
    ...bounds,
    ...endpoints,
    retry,
    signal,
    starts,
    now,
    onRetry: () => {
      retries += 1;
      measured?.retried("source");
    },
    onRequest: measured && ((...request: [string, string, number]) => measured.requested("source", ...request)),
  };
  const source =
    config.apiKey === undefined
      ? await openKeyless(config, { ...options, now })
      : renewing(config, { ...options, apiKey: await config.apiKey.resolve() });
  const closes = new AsyncDisposableStack();
  closes.defer(() => source.close());
  return closedBy<OpenSource>({ source, starts, retries: () => retries }, closes);
}

/**
 * A source that reads its key again once it is refused. A key of another project ends the run: that project does not have
 * this run's people, and whom it has would count as this project's. The next run begins with the new one.
 */
function renewing(config: KeyedSourceConfig, options: DriverOptions): Source {
  let present = options.apiKey;
  let project: string | undefined;
  const renewKey = async (): Promise<Secret> => {
    const key = await config.apiKey.resolve();
    if (key.reveal() === present.reveal()) return key;
    if (project !== undefined && (await projectOf(key)) !== project) {
      throw new HoldfastError("source-key", "the API key was replaced by one of another project of the provider", {
        hint: "Run again: whom the new project does not have is not gone, and the copies in the vault stay.",
      });
    }
    present = key;
    return key;
  };
  const projectOf = async (apiKey: Secret): Promise<string> => {
    const { rate, signal } = options;
    const other = openDriver(config, {
      ...options,
      apiKey,
      starts: ownStarts({ rate, ...(signal ? { signal } : {}) }),
    });
    try {
      return (await other.project()).id;
    } finally {
      await other.close();
    }
  };
  const source = openDriver(config, { ...options, renewKey });
  const ask = source.project.bind(source);
  source.project = async () => {
    const found = await ask();
    project ??= found.id;
    return found;
  };
  return source;
}
