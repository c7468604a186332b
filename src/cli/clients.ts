import { askedSources } from "../config/sources.ts";
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
        ? { failures: failures.map(({ error, ...of }) => ({ ...of, ...errorFields(error) })) }
        : {}),
    },
    lines(results),
  );
  const refused: ClientFailure[] = [];
  // Check several results one by one, so that the message can name the one that failed.
  for (const some of results.length > 0 && isSeveral(clients) ? results.map((one) => [one]) : [results]) {
    try {
      refuse(some);
    } catch (error) {
      refused.push({ ...placeIn(some[0], clients), error });
    }
  }
  if (failures.length + refused.length === 0) signal.throwIfAborted();
  else throw ofClients(clients, failures, refused);
}

/** Whether a command has several results: of several clients, or of several sources of one. */
function isSeveral(clients: Session["clients"]): boolean {
  return clients.length > 1 || clients.some((client) => askedSources(client).length > 1);
}

/** Whose result it is. The source is named if its client has several. */
function placeIn(result: unknown, clients: Session["clients"]): Omit<ClientFailure, "error"> {
  const { client = "", source } = (result ?? {}) as { client?: string; source?: unknown };
  const config = clients.find(({ id }) => id === client);
  const name = typeof source === "string" ? source : (source as { name?: string } | null | undefined)?.name;
  return config && name !== undefined && askedSources(config).length > 1 ? { client, source: name } : { client };
}

const called = ({ client, source }: Omit<ClientFailure, "error">): string =>
  source === undefined ? client : `${client}, ${source}`;

/**
 * The error a command ends with. With one result it is that one's error. With several it lists each, under the most
 * serious code; why each failed was printed when it happened, with its hint. An unexpected error is passed on unchanged.
 */
function ofClients(
  clients: Session["clients"],
  failures: readonly ClientFailure[],
  refused: readonly ClientFailure[],
): unknown {
  const error = gravest([...failures, ...refused].map(({ error }) => error));
  const own = ownError(error);
  const isOne = clients.length === 1 && [...failures, ...refused].every(({ source }) => source === undefined);
  if (own === undefined || isOne) return error;
  const names = [...new Set(failures.map(called))];
  const of = clients.length > 1 ? clients.length : askedSources(clients[0]!).length;
  const failed = clients.length > 1 ? new Set(failures.map(({ client }) => client)).size : names.length;
  const what = clients.length > 1 ? "clients" : "sources";
  const lines = [
    ...refused.map(({ error, ...of }) => `${called(of)}: ${ownError(error)?.message ?? "failed"}`),
    ...(failures.length > 0 ? [`${failed} of ${of} ${what} failed (see the errors above): ${names.join("; ")}`] : []),
  ];
  const isTold = failures.some((failure) => failure.error === error);
  return new HoldfastError(own.code, lines, { cause: error, hint: isTold ? undefined : own.hint?.split("\n") });
}
