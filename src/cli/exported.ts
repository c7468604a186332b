import type { Session } from "../../jobs/client.ts";
import { type ClientFailure, refuseUnfinished } from "../../jobs/export.ts";
import type { Summary } from "../export/summary.ts";
import { errorFields } from "../observe/log.ts";

/** The result of a command that exports, and its failures if any, as its exit code. */
export async function report(
  session: Session,
  command: string,
  work: (onFailure: (failure: ClientFailure) => void) => Promise<Summary[]>,
): Promise<void> {
  const failures: ClientFailure[] = [];
  const summaries = await work((failure) => failures.push(failure));
  session.console.result({
    ...{ command, clients: summaries },
    ...(failures.length > 0
      ? { failures: failures.map(({ client, error }) => ({ client, ...errorFields(error) })) }
      : {}),
  });
  if (failures[0]) throw failures[0].error;
  refuseUnfinished(summaries, session.signal);
}
