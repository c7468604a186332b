import { gravest } from "../core/exit-code.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "../session/client.ts";
import type { ClientFailure } from "../session/each-client.ts";

export interface TellOptions<T> {
  /** Throws where the results are no success, though every client came to one. */
  readonly refuse?: (results: readonly T[]) => void;
  /** The results' name in the JSON object. Default `clients`. */
  readonly name?: string;
}

/**
 * The results of every client, and the failures if any. Once all is told the gravest failure is thrown: it makes the
 * exit code.
 */
export async function tellClients<T>(
  { console, signal }: Session,
  command: string,
  work: (onFailure: (failure: ClientFailure) => void) => Promise<T[]>,
  { refuse = () => {}, name = "clients" }: TellOptions<T> = {},
): Promise<void> {
  const failures: ClientFailure[] = [];
  const results = await work((failure) => failures.push(failure));
  console.result({
    command,
    [name]: results,
    ...(failures.length > 0
      ? { failures: failures.map(({ client, error }) => ({ client, ...errorFields(error) })) }
      : {}),
  });
  const errors = failures.map(({ error }) => error);
  for (const check of [() => refuse(results), () => signal.throwIfAborted()]) {
    try {
      check();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw gravest(errors);
}
