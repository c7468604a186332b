/** What a session and its reports share: the status, the attempts with their times, the person. */
import { makePerson, type Person } from "../person.ts";
import { Random } from "../random.ts";
import type { World } from "./world.ts";

/** 2020-03-01. Each session is half an hour after the one before, so that the list is in the order of creation. */
const FIRST = 1_583_020_800;
const STEP = 1_800;

const START = [
  ["verified", 62],
  ["requires_input", 20],
  ["processing", 10],
  ["canceled", 8],
] as const;

export type Status = (typeof START)[number][0];

/** Stripe moves a verified session no more; a test's change still has to. */
const NEXT: Readonly<Record<Status, Status>> = {
  requires_input: "processing",
  processing: "verified",
  verified: "requires_input",
  canceled: "requires_input",
};

export interface Course {
  readonly status: Status;
  /** Unix seconds. */
  readonly created: number;
  /** When each report was made, oldest first. */
  readonly attempts: readonly number[];
}

export function course(world: World, index: number): Course {
  const random = new Random(world.seed, 310, index);
  const fate = world.fate(index);
  const start: Status = random.weighted(START);
  const created = Math.floor((fate.created ?? 0) / 1000) || FIRST + index * STEP + random.integer(0, STEP - 1);
  const started = start === "verified" || random.chance(50);
  // Someone with two documents shows one after the other.
  const count = started ? personOf(world, index).documents.length + (random.chance(12) ? 1 : 0) : 0;
  let status = start;
  for (let n = 0; n < fate.status; n++) status = NEXT[status];
  const waits = fate.created === undefined ? [60, 600] : [1, 1]; // what a test adds is done at once
  const attempts = Array.from({ length: count }, (_, at) => created + waits[0]! + at * waits[1]!);
  for (const at of fate.attempts) attempts.push(Math.max((attempts.at(-1) ?? created) + 1, Math.floor(at / 1000)));
  if (status === "verified" && attempts.length === 0) attempts.push(created + waits[0]!);
  return { status, created, attempts };
}

export const personOf = (world: World, index: number): Person => makePerson(world.seed, world.base(index));
