import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError, ownError } from "../src/core/error.ts";
import { errorFields } from "../src/observe/log.ts";
import type { Session } from "../src/session/client.ts";

/** The purge was stopped in the middle: what to do is said with its name. */
export function stopped(error: unknown, { id }: ClientConfig, run: string, { console }: Session): unknown {
  const own = ownError(error);
  if (!own) {
    console.log.error("the purge was stopped", { client: id, run, ...errorFields(error) });
    return error;
  }
  return new HoldfastError(
    own.code,
    [...own.message.split("\n"), `the purge ${run} was stopped; what it removed is gone`],
    {
      cause: error,
      hint: [
        ...(own.hint?.split("\n") ?? []),
        "Run `holdfast retention purge --confirm --out <folder>` again: it continues from here, and its certificate covers this run too.",
        `For what this run removed alone: ${certificateCommand(id, [run])}`,
      ],
    },
  );
}

/** Nothing brings back what was destroyed, so that it is said however the certificate failed. */
export function withoutCertificate(
  error: unknown,
  { id }: ClientConfig,
  runs: readonly string[],
  { console }: Session,
): unknown {
  const run = runs.at(-1)!;
  const gone = `what the purge ${run} removed is gone, and its certificate could not be made`;
  const command = `Then run: ${certificateCommand(id, runs)}`;
  const own = ownError(error);
  if (!own) {
    console.log.error(gone, { client: id, run, hint: command, ...errorFields(error) });
    return error;
  }
  return new HoldfastError(own.code, [gone, ...own.message.split("\n")], {
    cause: error,
    hint: [...(own.hint?.split("\n") ?? []), command],
  });
}

function certificateCommand(client: string, runs: readonly string[]): string {
  return `holdfast retention certificate --client ${client} ${runs.map((run) => `--run ${run}`).join(" ")} --out <folder>`;
}
