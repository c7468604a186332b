import { join } from "node:path";
import * as z from "zod";
import { readState, writeState } from "../io/state-file.ts";

const schema = z.object({ runs: z.array(z.string().max(200)) });

const pathOf = (state: string): string => join(state, "uncertified.json");

/**
 * Purges that may have destroyed something and have no certificate: `<client's state>/uncertified.json`. One that was
 * stopped is covered by the certificate of the next. Lost, such a certificate has to be asked for by the run's name.
 * @param state the client's own directory
 */
export function uncertified(state: string): readonly string[] {
  return readState(pathOf(state), schema)?.runs ?? [];
}

/** Before the first deletion. Throws `state`. */
export function noteUncertified(state: string, run: string): void {
  writeState(pathOf(state), { runs: [...new Set([...uncertified(state), run])] });
}

export function noteCertified(state: string, runs: readonly string[]): void {
  const left = uncertified(state).filter((run) => !runs.includes(run));
  if (left.length < uncertified(state).length) writeState(pathOf(state), { runs: left });
}
