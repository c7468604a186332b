import type { Session } from "../../jobs/client.ts";
import type { ClientFailure } from "../../jobs/each-client.ts";
import { errorFields } from "../observe/log.ts";

/** The results of every client, and the failures if any: the first of those is thrown, once all is told. */
export async function tellClients<T>(
  session: Session,
  command: string,
  work: (onFailure: (failure: ClientFailure) => void) => Promise<T[]>,
): Promise<T[]> {
  const failures: ClientFailure[] = [];
  const clients = await work((failure) => failures.push(failure));
  session.console.result({
    ...{ command, clients },
    ...(failures.length > 0
      ? { failures: failures.map(({ client, error }) => ({ client, ...errorFields(error) })) }
      : {}),
  });
  if (failures[0]) throw failures[0].error;
  return clients;
}
