import type { ClientConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import { activeSources, askedSources } from "../config/sources.ts";
import { firstThrown, hasCode } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";
import type { ClientFailure } from "./each-client.ts";

/** What came of asking the sources of one client, one after the other. */
export interface SourceRuns<T> {
  readonly results: readonly T[];
  readonly failures: readonly ClientFailure[];
}

/**
 * Asks the client's sources one after the other, until the signal. One source's failure does not stop the others,
 * except the loss of the lease, which all need.
 */
export async function eachSource<T>(
  config: ClientConfig,
  { clients, console, signal }: Pick<Session, "clients" | "console" | "signal">,
  work: (source: ActiveSourceConfig) => Promise<T>,
): Promise<SourceRuns<T>> {
  const asked = askedSources(config);
  const results: T[] = [];
  const failures: ClientFailure[] = [];
  for (const source of asked) {
    if (signal.aborted) break;
    try {
      results.push(await work(source));
    } catch (thrown) {
      const error = firstThrown(thrown);
      if (hasCode(error, "busy", "interrupted")) throw thrown;
      const fields = { client: config.id, ...errorFields(error) };
      if (asked.length > 1) console.log.error("source failed", { source: source.name, ...fields });
      else if (clients.length > 1) console.log.error("client failed", fields);
      failures.push({ client: config.id, ...(asked.length > 1 ? { source: source.name } : {}), error });
    }
  }
  return { results, failures };
}

/** Why a run asks no source of this client: a clause. */
export function noneAsked(config: ClientConfig): string {
  const { only } = config;
  if (activeSources(config).length > 0 && only?.length === 0) return "its sources have schedules of their own";
  if (only === undefined) return "its sources are retired";
  return only.length === 1 ? `${only[0]} is retired` : `${only.join(" and ")} are retired`;
}
