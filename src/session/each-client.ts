import type { ClientConfig } from "../config/config.ts";
import { firstThrown, hasCode } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";

/** The failure of one client's job, or of one of its several sources. */
export interface ClientFailure {
  readonly client: string;
  /** The name of the source, if the client has several. */
  readonly source?: string;
  readonly error: unknown;
}

/** Handles a failure if no one collects them. */
export function throwFailure({ error }: ClientFailure): never {
  throw error;
}

/** Runs the clients one after the other, until the signal. One client's failure does not stop the others. */
export async function eachClient<T>(
  { clients, console, signal }: Pick<Session, "clients" | "console" | "signal">,
  work: (config: ClientConfig) => Promise<T>,
  onFailure: (failure: ClientFailure) => void = throwFailure,
): Promise<T[]> {
  const results: T[] = [];
  for (const config of clients) {
    if (signal.aborted) break;
    try {
      results.push(await work(config));
    } catch (thrown) {
      const error = firstThrown(thrown);
      if (clients.length > 1 && !hasCode(error, "interrupted"))
        console.log.error("client failed", { client: config.id, ...errorFields(error) });
      onFailure({ client: config.id, error });
    }
  }
  return results;
}
