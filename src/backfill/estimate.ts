import type { Totals } from "../catalog/totals.ts";
import type { ClientConfig, SourceConfig } from "../config/config.ts";
import { meanOf } from "../export/sample.ts";
import { bytes, number, seconds } from "../observe/format.ts";
import type { Source } from "../source/source.ts";
import type { Survey } from "./survey.ts";

/** What a backfill will take. Everything except the list's counts is extrapolated. */
export interface Estimate extends Omit<Survey, "sample"> {
  readonly client: string;
  /** The name of the source. */
  readonly source: string;
  /** How many identities had their files counted, and the estimated number of all files. */
  readonly sampled: number;
  readonly files: number;
  /** Sealed size. Null if the vault has too few records for an estimate. */
  readonly bytes: number | null;
  /** Requests to the source, without retries. */
  readonly requests: number;
  /** The minimum, at the configured rate. */
  readonly seconds: number;
  /** The minimum, by the source's budget. Null if it has no budget. */
  readonly months: number | null;
  /** S3 writes: objects, log and lease. */
  readonly puts: number;
  /** Cost of those writes, in the given price's currency. */
  readonly cost: number | null;
}

export interface EstimateParts {
  readonly config: ClientConfig;
  readonly source: Source;
  readonly sourceConfig: SourceConfig;
  /** Undefined if this machine has no catalog. */
  readonly catalog: { readonly totals: Pick<Totals, "counts"> } | undefined;
  /** Price of 1,000 writes. */
  readonly price: number | undefined;
}

/** How many records in the vault are enough for an estimate. */
const ENOUGH = 20;
/** The log's writes per batch of 1,024 entries: four bundles, four tiles, a checkpoint. */
const BATCH = 1024;
const BATCH_PUTS = 9;

export async function estimate(
  { sample, ...survey }: Survey,
  { config, source, sourceConfig, catalog, price }: EstimateParts,
): Promise<Estimate> {
  const { pages, toFetch } = survey;
  const each = config.collect === "full" ? await meanOf(sample, source) : { resources: 0, files: 0, sampled: 0 };
  const files = Math.round(toFetch * each.files);
  // The list is read twice: to count and to fetch.
  const requests = Math.round(2 * pages + toFetch * (1 + each.resources + each.files)) + 1;
  const { budget } = sourceConfig;
  const { count, per } = sourceConfig.rate;
  const time = (requests * per) / count / 1000;
  const kept = catalog?.totals.counts();
  const puts = toFetch + files + Math.ceil(toFetch / BATCH) * BATCH_PUTS + Math.ceil(time / 60) + 2;
  return {
    client: config.id,
    source: sourceConfig.name,
    ...survey,
    sampled: each.sampled,
    files,
    requests,
    seconds: time,
    months: budget === undefined ? null : Math.ceil(requests / budget),
    puts,
    bytes: kept && kept.versions >= ENOUGH ? Math.round((kept.bytes / kept.versions) * toFetch) : null,
    cost: price === undefined ? null : (puts * price) / 1000,
  };
}

/** @param place the client, and its source where it has several */
export function estimateText(of: Estimate, place: string): string[] {
  const rows = [
    ["listed", `${number(of.listed)}${of.matching === of.listed ? "" : `, ${number(of.matching)} of them matching`}`],
    ["kept", `${number(of.matching - of.toFetch)} unchanged`],
    ["to fetch", number(of.toFetch)],
    ["files", of.sampled === 0 ? "0" : `about ${number(of.files)} (estimated from ${of.sampled} identities)`],
    ["sealed", of.bytes === null ? "unknown until the first records are stored" : `about ${bytes(of.bytes)}`],
    ["requests", `about ${number(of.requests)} to the source`],
    ["time", `at least ${seconds(of.seconds)}, at the configured rate`],
    ...(of.months === null ? [] : [["months", `at least ${number(of.months)}, by the source's budget`]]),
    ["S3 writes", `about ${number(of.puts)}${of.cost === null ? "" : `, ${of.cost.toFixed(2)} at the given price`}`],
  ];
  return [`${place}: what a backfill will take`, ...rows.map(([name, value]) => `  ${name!.padEnd(11)}${value}`)];
}
