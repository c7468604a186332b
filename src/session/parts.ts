import { join } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import type { Parts } from "../export/context.ts";
import { closing } from "../io/closing.ts";
import { defaultRetry } from "../io/retry.ts";
import { errorFields } from "../observe/log.ts";
import { Sealer } from "../seal/seal.ts";
import { type HttpOptions, ownStarts } from "../source/http.ts";
import { PassbaseSource } from "../source/passbase/passbase.ts";
import type { Priority } from "../source/rate/claim.ts";
import type { Starts } from "../source/rate/starts.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "./client.ts";
import { type Held, warnOf, withLog } from "./open-log.ts";

export interface PartsOptions {
  readonly job: string;
  /** At the source, beside other jobs of this machine. */
  readonly priority: Priority;
  readonly again?: boolean;
  /** See `Lease`: somebody else waits for the vault. */
  readonly onWanted?: () => void;
}

/** A client's parts, opened by the one process that holds the vault. */
export interface Opened {
  readonly parts: Parts;
  /** Of the source's requests. */
  readonly starts: Starts;
  /** Attempts at source or vault that had to be made again so far. */
  readonly retries: () => number;
}

/** Opens what it takes to export one client, and closes all of it when `work` has come to its end. */
export async function withParts<T>(
  config: ClientConfig,
  session: Session,
  options: PartsOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  return withLog(config, session, options, (held) => withSource(config, session, held, options, work));
}

/** The same for a process that holds the vault already. */
export async function withSource<T>(
  config: ClientConfig,
  session: Session,
  held: Held,
  { priority, again = false }: Pick<PartsOptions, "priority" | "again">,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { vault, description, conditional, tokens, writer, catalog, now, holds } = held;
  return closing(async (opened) => {
    const { source, starts, retries } = await openSource(config, session, priority);
    opened.defer(() => source.close());
    warnOf(session, config, [config.source.apiKey]);
    const parts: Parts = {
      ...{ config, source, tokens, vault, conditional, description, writer, catalog, now, holds, again },
      ...{ signal: session.signal, log: session.console.log, sealer: new Sealer(config.recipients) },
    };
    return work({ parts, starts, retries: () => retries() + held.retries() });
  });
}

/** The client's source, its limits shared with all that this machine asks of it. */
export async function openSource(
  config: ClientConfig,
  session: Session,
  priority: Priority,
): Promise<{ source: Source; starts: Starts; retries: () => number }> {
  const { rate } = config.source;
  const share = {
    path: join(config.state, "limits.sqlite"),
    priority,
    onTrouble: (error: unknown) =>
      session.console.log.warn("limits are not shared", { client: config.id, ...errorFields(error) }),
  };
  const onWait = (until: number, why: string) =>
    session.console.log.warn("the source asked for no request before this time: waiting", {
      ...{ client: config.id, due: new Date(until).toISOString(), error: `asked for by ${why}` },
    });
  const starts = ownStarts({ rate, share, signal: session.signal, onWait });
  return { ...(await openSourceWith(starts, config, session)), starts };
}

/** The client's source, where somebody grants the starts of its requests. */
export async function openSourceWith(
  starts: Starts,
  { id, source }: ClientConfig,
  { signal, patience, metrics }: Session,
): Promise<{ source: Source; retries: () => number }> {
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  let retries = 0;
  const measured = metrics?.client(id);
  const options: HttpOptions = {
    ...{ ...source, apiKey: await source.apiKey.resolve(), ...bounds, retry, signal, starts },
    renewKey: () => source.apiKey.resolve(),
    onRetry: () => {
      retries += 1;
      measured?.retried("source");
    },
    onRequest: measured && ((...request) => measured.requested("source", ...request)),
  };
  return { source: new PassbaseSource(options), retries: () => retries };
}
