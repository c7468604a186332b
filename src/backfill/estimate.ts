import type { Totals } from "../catalog/totals.ts";
import type { ClientConfig } from "../config/config.ts";
import { type Rate, rateText } from "../config/rate.ts";
import type { SourceConfig } from "../config/source-config.ts";
import { meanOf, NOT_SAMPLED } from "../export/sample.ts";
import { bytes, money, number, plural, seconds } from "../observe/format.ts";
import type { Source } from "../source/source.ts";
import type { ListCounts } from "./id-list.ts";
import type { Survey } from "./survey.ts";

/** What a backfill will take. Everything except the list's counts is extrapolated. */
export interface Estimate extends Omit<Survey, "sample" | "list" | "toFetch"> {
  readonly client: string;
  /** The name of the source. */
  readonly source: string;
  /** Of a list of ids: what its lines are, and how many of those asked about the provider has, and does not have. */
  readonly list: (ListCounts & { readonly found: number; readonly notFound: number }) | null;
  /** Null if no one of a list's sample was found: then this, and what follows from it, cannot be estimated. */
  readonly toFetch: number | null;
  /** How many identities had their files counted, and the estimated number of all files. */
  readonly sampled: number;
  readonly files: number | null;
  /** Sealed size. Null if the vault has too few records for an estimate. */
  readonly bytes: number | null;
  /** Requests to the source, without retries. The minimum if no one was found. */
  readonly requests: number;
  /** The minimum, at the configured rate; or at the pace of what the provider limits apart from that, if it is slower. */
  readonly seconds: number;
  /** What the provider limits apart, if that is what takes the time. */
  readonly slowest: string | null;
  /** All requests, then what the provider limits apart: the time that each takes at its own pace. */
  readonly paces: readonly Pace[];
  /** The minimum, by the source's budget. Null if it has no budget. */
  readonly months: number | null;
  /** Records in the vault, which sizes are estimated from. */
  readonly basis: number;
  /** S3 writes: objects, log and lease. */
  readonly puts: number | null;
  /** Cost of those writes, in the given price's currency. */
  readonly cost: number | null;
}

export interface Pace {
  readonly of: string;
  /** `8/min` */
  readonly rate: string;
  readonly requests: number;
  readonly seconds: number;
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

/** @param onAsked called with how many of the sample were asked about so far */
export async function estimate(
  { sample, list, ...survey }: Survey,
  { config, source, sourceConfig, catalog, price }: EstimateParts,
  onAsked?: (count: number) => void,
): Promise<Estimate> {
  const full = config.collect === "full";
  const each = full || list ? await meanOf(sample, source, { full, ...(onAsked && { onAsked }) }) : NOT_SAMPLED;
  const found = each.sampled;
  const notFound = list ? each.missing + list.asked - sample.length : 0;
  const toFetch = list ? expected(list.distinct - list.kept, found, notFound) : survey.toFetch;
  const files = toFetch === null ? null : Math.round(toFetch * each.files);
  // The list is read twice: to count and to fetch. Those of a list who are not there cost a request as well. Those whom
  // the vault has are read whole, to see whether they changed.
  const asked = list ? list.distinct * (list.are === "references" ? 2 : 1) : survey.toFetch;
  const again = list?.kept ?? 0;
  // A folder has no key, and is asked by no requests.
  const isAsked = sourceConfig.apiKey !== undefined;
  const reads =
    Math.round(2 * survey.pages + asked + again * each.resources + (toFetch ?? 0) * (each.resources + each.files)) + 1;
  const requests = isAsked ? reads : 0;
  const { budget } = sourceConfig;
  const atRate = paceOf("all requests", sourceConfig.rate, requests);
  const apart = (source.apart ?? []).map(({ of, rate, ofFiles }, at) =>
    // As often as in the sample.
    paceOf(of, rate, ((toFetch ?? 0) + again) * (each.apart[at] ?? 0) + (ofFiles ? (files ?? 0) : 0)),
  );
  const paces = [atRate, ...apart];
  const slowest = paces.reduce((one, other) => (other.seconds > one.seconds ? other : one));
  const time = slowest.seconds;
  const kept = catalog?.totals.counts();
  const basis = kept?.versions ?? 0;
  const puts =
    toFetch === null || files === null
      ? null
      : toFetch + files + Math.ceil(toFetch / BATCH) * BATCH_PUTS + Math.ceil(time / 60) + 2;
  const isEnough = kept !== undefined && basis >= ENOUGH && toFetch !== null;
  return {
    client: config.id,
    source: sourceConfig.name,
    ...survey,
    list: list ? { ...list, found, notFound } : null,
    toFetch,
    sampled: found,
    files,
    requests,
    seconds: time,
    slowest: slowest === atRate ? null : slowest.of,
    paces,
    months: budget === undefined ? null : Math.ceil(requests / budget),
    puts,
    basis,
    bytes: toFetch === 0 ? 0 : isEnough ? Math.round((kept.bytes / basis) * toFetch) : null,
    cost: price === undefined || puts === null ? null : (puts * price) / 1000,
  };
}

function paceOf(of: string, rate: Rate, requests: number): Pace {
  const { count, per } = rate;
  return { of, rate: rateText(rate), requests: Math.round(requests), seconds: (requests * per) / count / 1000 };
}

/** How many of a list there are, if the others are like those asked about. Null if that says nothing. */
function expected(distinct: number, found: number, notFound: number): number | null {
  if (distinct === 0) return 0;
  return found === 0 ? null : Math.round((distinct * found) / (found + notFound));
}

const UNKNOWN = "cannot be estimated: no one of the sample was found";

/** @param place the client, and its source where it has several */
export function estimateText(of: Estimate, place: string): string[] {
  const atLeast = of.toFetch === null ? "at least" : "about";
  const rows = [
    ...(of.list ? listRows(of.list, of) : walkRows(of)),
    ["files", filesText(of)],
    ["sealed", sealedText(of)],
    ...(of.requests > 0
      ? [
          ["requests", `${atLeast} ${number(of.requests)} to the source`],
          ["time", timeText(of)],
        ]
      : []),
    ...(of.requests > 0 && of.paces.length > 1 ? [["paces", of.paces.map(paceText).join("; ")]] : []),
    ...(of.months === null ? [] : [["months", `at least ${number(of.months)}, by the source's budget`]]),
    ["S3 writes", of.puts === null ? UNKNOWN : `about ${number(of.puts)}${costText(of)}`],
    ...(of.toFetch === null ? [["next", NEXT]] : []),
  ];
  const what = of.list ? "a backfill of this list" : "a backfill";
  return [`${place}: what ${what} will take`, ...rows.map(([name, value]) => `  ${name!.padEnd(11)}${value}`)];
}

const NEXT =
  "check that the list is of this source's project, and that the provider still has these people; then plan again, which samples others";

function walkRows({ listed, matching, toFetch }: Estimate): string[][] {
  return [
    ["listed", `${number(listed)}${matching === listed ? "" : `, ${number(matching)} of them matching`}`],
    ["kept", `${number(matching - (toFetch ?? 0))} unchanged`],
    ["to fetch", number(toFetch ?? 0)],
  ];
}

/** A run asks about everyone in a list, and only then knows who has not changed. */
function listRows(list: NonNullable<Estimate["list"]>, { toFetch }: Estimate): string[][] {
  const { are, lines, distinct, repeated, malformed, kept, asked, found, notFound } = list;
  const [one, many] = are === "ids" ? ["id", "ids"] : ["reference", "references"];
  const parts = [
    plural(distinct, one, many),
    ...(repeated > 0 ? [`${number(repeated)} repeated`] : []),
    ...(malformed > 0 ? [`${number(malformed)} malformed`] : []),
  ];
  const failed = asked - found - notFound;
  const results = [
    `${number(found)} found`,
    `${number(notFound)} not found`,
    ...(failed > 0 ? [`${number(failed)} could not be read`] : []),
  ];
  const isAll = asked === distinct - kept;
  const about = are === "references" && !isAll ? "about " : "";
  return [
    ["lines", `${number(lines)}: ${parts.join(", ")}`],
    ...(kept > 0
      ? [["kept", `${about}${number(kept)} in the vault already; asked about, and stored again if changed`]]
      : []),
    ["sampled", asked === 0 ? "no one" : `${isAll ? "all " : ""}${number(asked)}: ${results.join(", ")}`],
    ["to fetch", toFetch === null ? UNKNOWN : `${isAll && failed === 0 ? "" : "about "}${number(toFetch)}`],
  ];
}

function filesText({ files, sampled }: Estimate): string {
  if (files === null) return UNKNOWN;
  return sampled === 0 ? "0" : `about ${number(files)} (estimated from ${plural(sampled, "identity", "identities")})`;
}

function timeText({ seconds: time, slowest }: Estimate): string {
  if (slowest !== null) return `about ${seconds(time)}, at the provider's pace of ${slowest}`;
  return `at least ${seconds(time)}, at the configured rate`;
}

export const paceText = ({ of, rate, requests, seconds: time }: Pace): string =>
  `${number(requests)} ${of === "all requests" ? "requests" : of} at ${rate}: ${seconds(time)}`;

function sealedText({ bytes: size, toFetch, basis }: Estimate): string {
  if (toFetch === null) return UNKNOWN;
  if (size !== null) return size === 0 ? "0" : `about ${bytes(size)}`;
  if (basis === 0) return "unknown until the first records are stored";
  return `unknown until the vault has ${ENOUGH} records; it has ${number(basis)}`;
}

const costText = ({ cost }: Estimate) => (cost === null ? "" : `, ${money(cost)} at the given price`);
