import { HoldfastError, ownError } from "../core/error.ts";
import { gravest } from "../core/exit-code.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "../session/client.ts";
import type { ClientFailure } from "../session/each-client.ts";

export interface TellOptions<T> {
  /** Throws if the results are not a success although every client returned one. */
  readonly refuse?: (results: readonly T[]) => void;
  /** The field for the results in the JSON object. Default: `clients`. */
  readonly name?: string;
  /** The results for people, on stdout. */
  readonly lines?: (results: readonly T[]) => readonly string[];
}

/**
 * Prints the results of every client, and any failures. Then throws the most serious failure, which sets the exit code.
 */
export async function tellClients<T>(
  { clients, console, signal }: Session,
  command: string,
  work: (onFailure: (failure: ClientFailure) => void) => Promise<T[]>,
  { refuse = () => {}, name = "clients", lines = () => [] }: TellOptions<T> = {},
): Promise<void> {
  const failures: ClientFailure[] = [];
  const results = await work((failure) => failures.push(failure));
  console.result(
    {
      command,
      [name]: results,
      ...(failures.length > 0
        ? { failures: failures.map(({ client, error }) => ({ client, ...errorFields(error) })) }
        : {}),
    },
    lines(results),
  );
  const refused: ClientFailure[] = [];
  // Check several clients one by one, so that the message can name the one that failed.
  for (const some of clients.length > 1 && results.length > 0 ? results.map((one) => [one]) : [results]) {
    try {
      refuse(some);
    } catch (error) {
      refused.push({ client: (some[0] as { client?: string } | undefined)?.client ?? "", error });
    }
  }
  if (failures.length + refused.length === 0) signal.throwIfAborted();
  else throw ofClients(clients, failures, refused);
}

/**
 * The error a command ends with. With one client it is that client's error. With several it lists each, under the most
 * serious code; why each failed was printed when it happened, with its hint. An unexpected error is passed on unchanged.
 */
function ofClients(
  clients: Session["clients"],
  failures: readonly ClientFailure[],
  refused: readonly ClientFailure[],
): unknown {
  const error = gravest([...failures, ...refused].map(({ error }) => error));
  const own = ownError(error);
  if (own === undefined || clients.length === 1) return error;
  const names = failures.map(({ client }) => client).join(", ");
  const lines = [
    ...refused.map(({ client, error }) => `${client}: ${ownError(error)?.message ?? "failed"}`),
    ...(failures.length > 0
      ? [`${failures.length} of ${clients.length} clients failed (see the errors above): ${names}`]
      : []),
  ];
  const isTold = failures.some((failure) => failure.error === error);
  return new HoldfastError(own.code, lines, { cause: error, hint: isTold ? undefined : own.hint?.split("\n") });
}
