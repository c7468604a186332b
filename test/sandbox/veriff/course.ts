/** What a session's answers share: how far it is, its attempts with their times, the person. */
import { makePerson, type Person } from "../person.ts";
import { Random } from "../random.ts";
import type { World } from "./world.ts";

const START = [
  ["approved", 60],
  ["declined", 8],
  ["resubmission_requested", 8],
  ["expired", 4],
  ["abandoned", 4],
  ["review", 4],
  ["submitted", 6],
  ["started", 6],
] as const;

export type Status = "created" | (typeof START)[number][0];

/** How a test's change moves a decision. */
const NEXT: Readonly<Record<Status, Status>> = {
  created: "started",
  started: "submitted",
  submitted: "approved",
  review: "approved",
  resubmission_requested: "approved",
  approved: "declined",
  declined: "approved",
  expired: "approved",
  abandoned: "approved",
};

/** Sessions with one of these have a decision, with this code. */
export const CODES: Readonly<Partial<Record<Status, number>>> = {
  approved: 9001,
  declined: 9102,
  resubmission_requested: 9103,
  expired: 9104,
  abandoned: 9121,
};

export interface Attempt {
  readonly status: Status;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Whether anything was captured. */
  readonly captured: boolean;
}

export interface Course {
  readonly status: Status;
  readonly created: number;
  readonly submitted: number;
  readonly decided: number;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
}

const isCaptured = (status: Status) => !["created", "started", "expired", "abandoned"].includes(status);

export function course(world: World, index: number): Course {
  const random = new Random(world.seed, 410, index);
  const fate = world.fate(index);
  let status: Status = random.weighted(START);
  if (random.chance(world.options.unopened)) status = "created";
  for (let n = 0; n < fate.decision.length; n++) status = NEXT[status];
  const created = world.created(index);
  const begun = Array.from(
    { length: status === "created" ? 0 : random.chance(25) ? 2 : 1 },
    (_, at) => created + 453 + at * 300_000,
  );
  for (const at of fate.attempt) begun.push(Math.max((begun.at(-1) ?? created) + 1, at));
  const last = begun.length - 1;
  const attempts = begun.map((at, n): Attempt => {
    const of = n === last ? status : "resubmission_requested";
    return { status: of, created: at, captured: isCaptured(of) };
  });
  const submitted = (begun.at(-1) ?? created) + 60_125;
  return { status, created, submitted, decided: Math.max(submitted + 29_881, fate.decision.at(-1) ?? 0), attempts };
}

export const personOf = (world: World, index: number): Person => makePerson(world.seed, index);

/** Veriff writes three to six decimals. */
export const millis = (at: number): string => new Date(at).toISOString();
export const micros = (at: number): string =>
  millis(at).replace("Z", `${String((at * 7919) % 1000).padStart(3, "0")}Z`);
