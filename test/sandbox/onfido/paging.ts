/** Lists by page numbers. They count from the newest, so that rows move while someone reads. */
import { course } from "./course.ts";
import { onfidoId, placeOf } from "./id.ts";
import { BASE_PATH, makeApplicant, type Wire } from "./objects.ts";
import { invalid } from "./refusal.ts";
import type { World } from "./world.ts";

const LONGEST = 500;
const RUNS = 20;

function whole(url: URL, name: string, otherwise: number, most: number): number {
  const text = url.searchParams.get(name) ?? String(otherwise);
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1 || value > most) throw invalid(`${name} is invalid`);
  return value;
}

/** A page of applicants, and the headers that say how many there are and where it goes on. */
export function applicantPage(
  world: World,
  url: URL,
  origin: string,
): [value: object, headers: Record<string, string>] {
  const page = whole(url, "page", 1, 999_999_999);
  const size = whole(url, "per_page", 20, LONGEST);
  const rows = world.newestFirst(url.searchParams.get("include_deleted") === "true");
  const from = (page - 1) * size;
  const query = new URLSearchParams(url.searchParams);
  query.set("page", String(page + 1));
  const next = from + size < rows.length ? { Link: `<${origin}${BASE_PATH}/applicants?${query}>; rel="next"` } : {};
  return [
    { applicants: rows.slice(from, from + size).map((index) => makeApplicant(world, index)) },
    { "X-Total-Count": String(rows.length), ...next },
  ];
}

/** A page of workflow runs: a bare array, the last that ended first, filtered by the day of their creation. */
export function runPage(world: World, url: URL, make: (index: number) => Wire): Wire[] {
  const query = url.searchParams;
  const owner = query.get("applicant_id");
  const place = owner === null ? undefined : placeOf(world.seed, "applicant", owner);
  const indexes = owner === null ? world.newestFirst(false) : place && world.has(place.index) ? [place.index] : [];
  const days = ["created_at_gt", "created_at_lt"].map((name) => query.get(name));
  if (days.some((day) => day !== null && !/^\d{4}-\d\d-\d\d$/.test(day))) throw invalid("not a date");
  const [after, before] = days.map((day) => (day === null ? undefined : Date.parse(day)));
  const statuses = query.get("status")?.split(",");
  const tags = query.get("tags")?.split(",") ?? [];
  const up = query.get("sort") === "asc" ? -1 : 1;
  const rows = indexes
    .flatMap((index) => {
      const { run } = course(world, index);
      const isWanted =
        run &&
        run.created > (after ?? 0) &&
        run.created < (before ?? Number.POSITIVE_INFINITY) &&
        (statuses?.includes(run.status) ?? true);
      return isWanted ? [{ index, updated: run.updated }] : [];
    })
    .sort((one, other) => up * (other.updated - one.updated))
    .map(({ index }) => index)
    .filter((index) => tags.every((tag) => (make(index).tags as string[] | null)?.includes(tag)));
  const from = (whole(url, "page", 1, 999_999_999) - 1) * RUNS;
  return rows.slice(from, from + RUNS).map(make);
}

export const idsOf = (world: World): string[] =>
  world
    .newestFirst(false)
    .reverse()
    .map((index) => onfidoId(world.seed, "applicant", index));
