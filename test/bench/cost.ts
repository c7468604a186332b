/**
 * What a night costs: requests to the provider and to the store, hours at the provider's own limits, and money. Everything is
 * computed from figures that were measured: docs/SOURCES.md has the requests of 100 people at each provider (`npm test --
 * test/docs/requests.test.ts` measures them), and the benchmark the S3 requests per object.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRate, type Rate, rateText } from "../../src/config/rate.ts";
import { number } from "../../src/observe/format.ts";
import { type ApiKind, PROVIDERS } from "../../src/provider/provider.ts";
import { AML_RATE } from "../../src/source/sumsub/limits.ts";
import { grid, type Result } from "./report.ts";

/** What the table's three rows are of. */
const PEOPLE = 100;
const CHANGED = 10;
/** The part of all people who change in a night: an assumption, and the only one. */
const SHARE = 0.001;
/** Defaults of the config: everyone's turn comes in so many days; a lock of 90 days is extended when 30 are left. */
const RESYNC = 30;
const EXTENDED = 90 - 30;
/** Public prices of S3 Standard in us-east-1 for 1,000 requests, as in the example of `verify --plan`: PUT, and GET. */
const PUT = 0.005;
/** Locks that a run extends in a second at most. */
const LOCKS = 1_000;
const DAY = 24;

interface Limit {
  /** What the provider's documentation allows; Holdfast's default where it says nothing. */
  readonly rate: Rate;
  readonly isPublished: boolean;
  /** Whether a night reads the list, 100 a page: the provider names no changes. */
  readonly isWalked: boolean;
  /** What each person's turn takes beside that, at a pace of its own. */
  readonly apart?: { readonly of: string; readonly rate: Rate };
}

export const LIMITS: Readonly<Record<Exclude<ApiKind, "passbase">, Limit>> = {
  persona: { rate: parseRate("300/min"), isPublished: true, isWalked: false },
  // A person's turn asks two endpoints, of 25/s each.
  stripe: { rate: parseRate("50/s"), isPublished: true, isWalked: false },
  onfido: { rate: parseRate("400/min"), isPublished: true, isWalked: true },
  sumsub: {
    ...{ rate: parseRate("60/s"), isPublished: true, isWalked: false },
    apart: { of: "AML cases", rate: AML_RATE },
  },
  veriff: { rate: parseRate(PROVIDERS.veriff.rate), isPublished: false, isWalked: false },
};

/** Requests of 100 people, and how many of them are for files: all new, and ten changed. */
export interface Measured {
  readonly fresh: readonly [requests: number, files: number];
  readonly changed: readonly [requests: number, files: number];
}

export interface Night {
  readonly people: number;
  /** To the provider. */
  readonly requests: number;
  /** At the provider's limit; of what the provider limits apart, if that takes longer. */
  readonly hours: number;
  readonly slowest: string;
  /** To the store: new objects with their log, and locks extended. */
  readonly puts: number;
  readonly locks: number;
  readonly dollars: number;
  /** Days of `resync` with which it takes less than a day. Null: the default does. */
  readonly resync: number | null;
}

/** @param perObject S3 requests for each object stored, with its part of the log */
export function nightOf(people: number, { fresh, changed }: Measured, limit: Limit, perObject: number): Night {
  const changes = people * SHARE;
  const dossier = (fresh[0] - fresh[1]) / PEOPLE;
  const turns = people / RESYNC;
  const other = (limit.isWalked ? people / PEOPLE : 0) + (changes * changed[0]) / CHANGED;
  const requests = Math.ceil(other + turns * dossier);
  const hours = (count: number, rate: Rate) => (count * rate.per) / rate.count / 3_600_000;
  const all = hours(requests, limit.rate);
  const apart = limit.apart ? hours(turns + changes, limit.apart.rate) : 0;
  // What does not depend on whose turn it is takes its time each night.
  const fixed = limit.apart ? hours(changes, limit.apart.rate) : 0;
  const ofTurns = Math.max(
    hours(turns * dossier, limit.rate) / Math.max(0, DAY - hours(other, limit.rate)),
    (apart - fixed) / Math.max(0, DAY - fixed),
  );
  const objects = changes * (1 + changed[1] / CHANGED);
  const locks = Math.ceil((people * (1 + fresh[1] / PEOPLE)) / EXTENDED);
  const puts = Math.ceil(objects * perObject);
  return {
    ...{ people, requests, puts, locks },
    hours: Math.max(all, apart),
    slowest: apart > all ? limit.apart!.of : "requests",
    dollars: ((puts + locks) * PUT) / 1_000,
    resync: Math.max(all, apart) > DAY ? Math.ceil(RESYNC * ofTurns) : null,
  };
}

/** As this run measured it, or the last whole one. */
export async function perObject({ figures }: Pick<Result, "figures">): Promise<number> {
  const latest = JSON.parse(await readFile(join(import.meta.dirname, "latest.json"), "utf8")) as Result;
  const of = (all: Result["figures"]) =>
    all.find(({ group, name }) => group === "S3 requests per object, 4 KB" && name.includes("from the provider"));
  const found = of(figures) ?? of(latest.figures);
  if (found === undefined) throw new Error("no benchmark has counted the S3 requests for each object");
  return found.median;
}

/** The table of docs/SOURCES.md. */
export function measured(kind: ApiKind): Measured {
  const text = readFileSync(join(import.meta.dirname, "../../docs/SOURCES.md"), "utf8");
  const [head = [], ...rows] = (/^\| Requests of .*\n(?:\|.*\n)+/m.exec(text)?.[0] ?? "")
    .trim()
    .split("\n")
    .filter((row) => !row.startsWith("| ---"))
    .map((row) => row.split("|").map((cell) => cell.trim()));
  const column = head.findIndex((cell) => cell.toLowerCase() === kind);
  const [fresh, , changed] = rows.map((row) => /^(\d+), (\d+) of them files$/.exec(row[column] ?? ""));
  if (!fresh || !changed) throw new Error(`docs/SOURCES.md says nothing of the requests at ${kind}`);
  const pair = ([, requests, files]: RegExpExecArray) => [Number(requests), Number(files)] as const;
  return { fresh: pair(fresh), changed: pair(changed) };
}

const SIZES = [10_000, 1_000_000, 10_000_000];

/** For docs/BENCHMARKS.md. */
export function costTable(perObject: number): string {
  const head = ["provider, at its limit", "people", "requests", "hours", "S3 writes and locks", "US dollars"];
  const rows = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).flatMap((kind) =>
    SIZES.map((people) => {
      const limit = LIMITS[kind];
      const night = nightOf(people, measured(kind), limit, perObject);
      const pace = night.slowest === "requests" ? limit.rate : limit.apart!.rate;
      const of = night.slowest === "requests" ? "" : ` ${night.slowest}`;
      return [
        `${PROVIDERS[kind].name}, ${rateText(pace)}${of}${limit.isPublished ? "" : " (not published)"}`,
        ...[number(people), number(night.requests), hoursText(night)],
        ...[number(night.puts + night.locks), dollarsText(night)],
      ];
    }),
  );
  const [slow] = [Math.max(...rows.map((row) => Number(row[4]!.replaceAll(",", "")))) / LOCKS / 3600];
  return `${grid(head, rows)}

Hours of more than ${DAY} are bold, with the days of \`resync\` that a night of ${DAY} hours needs. With ${perObject.toFixed(2)} S3 requests for each object; a run extends at most ${number(LOCKS)} locks a second, so the most locks above take ${slow.toFixed(1)} hours.
`;
}

const dollarsText = ({ dollars }: Night): string => (dollars < 0.01 ? "below 0.01" : dollars.toFixed(2));

const hoursText = ({ hours, resync }: Night): string => {
  const text = hours < 0.1 ? "below 0.1" : hours < 10 ? hours.toFixed(1) : number(Math.round(hours));
  return resync === null ? text : `**${text}**, ${number(resync)} days`;
};
