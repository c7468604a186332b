import { join } from "node:path";
import type { S3VaultConfig } from "../config/config.ts";
import { openPlace } from "../verify/inventory-place.ts";
import { INDEX, type Index, readIndex } from "./index-file.ts";
import { TaskOutcomes } from "./outcomes.ts";
import { readManifests } from "./read-manifests.ts";
import { readReport } from "./read-report.ts";
import { unusable } from "./report.ts";

export interface CompletedJobs extends Disposable {
  readonly index: Index;
  readonly outcomes: TaskOutcomes;
}

interface Reading {
  readonly client: string;
  readonly vault: S3VaultConfig;
  /** The folder that `--manifest` wrote. */
  readonly folder: string;
  /** Where the reports are: paths or `s3://`. */
  readonly reports: readonly string[];
  /** A path for what is read. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
}

/** Reads manifests and completion reports, and holds them against each other. Throws `usage` if anything does not fit. */
export async function readCompleted(of: Reading): Promise<CompletedJobs> {
  const { client, vault, folder, reports, scratch, signal, onRows } = of;
  const index = await readIndex(join(folder, INDEX), { client, vault: vault.url });
  using opened = new DisposableStack();
  const outcomes = new TaskOutcomes(scratch, onRows);
  opened.defer(() => outcomes.close());
  const reading = { place: vault, into: outcomes, signal };
  await readManifests(folder, index, reading);
  for (const [number, address] of reports.entries()) {
    await using from = await openPlace(address, vault, signal, { folders: ["results", "."], unusable });
    await readReport(from, number, reading);
  }
  const { foreign, repeated } = outcomes.finish();
  if (foreign > 0)
    throw unusable(
      `${foreign} of its rows name an object or version that is in no manifest of ${folder}`,
      "Name the folder that this job's manifest came from, or the report of another job.",
    );
  if (repeated > 0) throw unusable(`it names ${repeated} objects more than once`);
  const owned = opened.move();
  return { index, outcomes, [Symbol.dispose]: () => owned.dispose() };
}
