import type { Totals } from "../catalog/totals.ts";
import type { ClientConfig } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import type { Candidate } from "../export/plan.ts";
import { bytes, number, seconds } from "../observe/format.ts";
import type { Source } from "../source/source.ts";
import type { Survey } from "./survey.ts";

/** What a backfill will take. All but the counts of the list is extrapolated. */
export interface Estimate extends Omit<Survey, "sample"> {
  readonly client: string;
  /** Identities that were asked for their files, and how many files all will have. */
  readonly sampled: number;
  readonly files: number;
  /** Sealed; null while the vault has nothing to judge by. */
  readonly bytes: number | null;
  /** To the source, retries not included. */
  readonly requests: number;
  /** At the configured rate, which is the least it can take. */
  readonly seconds: number;
  /** Writes to S3: objects, log and lease. */
  readonly puts: number;
  /** Of those writes, in the currency of the price given. */
  readonly cost: number | null;
}

export interface EstimateParts {
  readonly config: ClientConfig;
  readonly source: Source;
  /** Undefined where this machine has none. */
  readonly catalog: { readonly totals: Pick<Totals, "counts"> } | undefined;
  /** Of a thousand writes. */
  readonly price: number | undefined;
}

/** Records in the vault that are enough to judge the next ones by. */
const ENOUGH = 20;
/** Writes of the log for each batch of 1,024 entries: four bundles, four tiles, a checkpoint. */
const BATCH = 1024;
const BATCH_PUTS = 9;

export async function estimate(
  { sample, ...survey }: Survey,
  { config, source, catalog, price }: EstimateParts,
): Promise<Estimate> {
  const { pages, toFetch } = survey;
  const each = config.collect === "full" ? await meanOf(sample, source) : { resources: 0, files: 0, sampled: 0 };
  const files = Math.round(toFetch * each.files);
  // The list is walked twice: to count, and to fetch.
  const requests = Math.round(2 * pages + toFetch * (1 + each.resources + each.files)) + 1;
  const { count, per } = config.source.rate;
  const time = (requests * per) / count / 1000;
  const kept = catalog?.totals.counts();
  const puts = toFetch + files + Math.ceil(toFetch / BATCH) * BATCH_PUTS + Math.ceil(time / 60) + 2;
  return {
    client: config.id,
    ...survey,
    sampled: each.sampled,
    files,
    requests,
    seconds: time,
    puts,
    bytes: kept && kept.versions >= ENOUGH ? Math.round((kept.bytes / kept.versions) * toFetch) : null,
    cost: price === undefined ? null : (puts * price) / 1000,
  };
}

async function meanOf(sample: readonly Candidate[], source: Source) {
  let [resources, files, sampled] = [0, 0, 0];
  for (const { id } of sample) {
    try {
      const found = await source.resources(id);
      resources += found.texts.length;
      files += found.files.length;
      sampled += 1;
    } catch (error) {
      // Gone since it was listed, or of a kind that the run will name.
      if (!hasCode(error, "source-missing", "source-denied", "source-response")) throw error;
    }
  }
  const of = Math.max(1, sampled);
  return { resources: sampled === 0 ? 1 : resources / of, files: files / of, sampled };
}

export function estimateText(of: Estimate): string[] {
  const rows = [
    ["listed", `${number(of.listed)}${of.matching === of.listed ? "" : `, ${number(of.matching)} of them as asked`}`],
    ["kept", `${number(of.matching - of.toFetch)} already, unchanged`],
    ["to fetch", number(of.toFetch)],
    ["files", of.sampled === 0 ? "0" : `about ${number(of.files)} (${of.sampled} identities were asked for theirs)`],
    ["sealed", of.bytes === null ? "not known before the first records are stored" : `about ${bytes(of.bytes)}`],
    ["requests", `about ${number(of.requests)} to the source`],
    ["time", `${seconds(of.seconds)} at least, at the rate configured`],
    ["S3 writes", `about ${number(of.puts)}${of.cost === null ? "" : `, ${of.cost.toFixed(2)} at the price given`}`],
  ];
  return [`${of.client}: what a backfill will take`, ...rows.map(([name, value]) => `  ${name!.padEnd(11)}${value}`)];
}
