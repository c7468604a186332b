/**
 * A process that asks a sandbox for applicants with AML cases, one after the other, for tests:
 * `node aml-asker.ts <json>`, until its standard input ends. A minute of its clock, and of the sandbox's, is 7.5 seconds
 * long.
 */
import { Secret } from "../../../src/config/secret.ts";
import { SumsubSource } from "../../../src/source/sumsub/sumsub.ts";
import { quick } from "../connect.ts";
import { full } from "./connect.ts";

export interface Asking {
  readonly url: string;
  readonly appToken: string;
  readonly apiKey: string;
  readonly ids: readonly string[];
  /** The file with the limits; undefined: this process keeps its own. */
  readonly path: string | undefined;
  /** When the sandbox's clock began to run, in ms since 1970. */
  readonly begun: number;
}

export const FASTER = 8;

if (import.meta.main) {
  const asking = JSON.parse(process.argv[2]!) as Asking;
  const { ids, path, begun, apiKey, ...to } = asking;
  const clock = () => Temporal.Instant.fromEpochMilliseconds(begun + Math.floor((Date.now() - begun) * FASTER));
  const source = new SumsubSource({
    ...{ ...to, apiKey: new Secret(apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4, retry: quick },
    ...{ amlRate: { count: 8, per: 60_000 / FASTER }, now: clock, clock },
    ...(path === undefined
      ? {}
      : { share: { path, onTrouble: (error) => process.stderr.write(`${error.message}\n`) } }),
  });
  let isOver = false;
  process.stdin.resume().on("end", () => {
    isOver = true;
  });
  for (let at = 0; !isOver; at++) await source.dossier(ids[at % ids.length]!, full);
  await source.close();
}
