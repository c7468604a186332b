/** What an inquiry and its objects share: the status, the time line, the person. */
import { makePerson, type Person } from "../person.ts";
import { Random } from "../random.ts";
import type { Fate, World } from "./world.ts";

/** 2020-03-01. Each inquiry is half an hour after the one before, so that the list is in the order of creation. */
const FIRST = 1_583_020_800_000;
const STEP = 1_800_000;

const START = [
  ["approved", 52],
  ["declined", 8],
  ["needs_review", 10],
  ["completed", 10],
  ["pending", 8],
  ["failed", 4],
  ["expired", 4],
  ["created", 4],
] as const;

export type Status = (typeof START)[number][0];

const NEXT: Readonly<Record<Status, Status>> = {
  created: "pending",
  pending: "completed",
  completed: "approved",
  needs_review: "approved",
  approved: "declined",
  declined: "approved",
  failed: "needs_review",
  expired: "completed",
};

export interface Course {
  readonly status: Status;
  /** Milliseconds since 1970, in whole seconds, as Persona shows them. */
  readonly created: number;
  readonly updated: number;
  /** When the documents and the selfie were taken; undefined before. */
  readonly captured: number | undefined;
  readonly processed: number;
  readonly fate: Fate;
  readonly base: number;
}

const whole = (time: number) => Math.floor(time / 1000) * 1000;

export function course(world: World, index: number, fate: Fate = world.fate(index)): Course {
  const random = new Random(world.seed, 210, index);
  let status: Status = random.weighted(START);
  for (let n = 0; n < fate.status; n++) status = NEXT[status];
  const created = whole(fate.created ?? FIRST + index * STEP + random.integer(0, STEP - 1));
  // Drawn always, so that a change moves no other time.
  const first = created + random.integer(200, 400_000) * 1000;
  const updated = Math.max(created, fate.updated === undefined ? first : 0);
  const taken = created + random.integer(20, 80) * 1000;
  const captured = status === "created" || status === "expired" || status === "pending" ? undefined : taken;
  return {
    status,
    created,
    updated: Math.max(updated, whole(fate.updated ?? 0)),
    captured,
    processed: whole(fate.processed ?? taken + 6_000),
    fate,
    base: world.base(index),
  };
}

export const personOf = (world: World, index: number): Person => makePerson(world.seed, world.base(index));

/** As Persona writes a time: always with milliseconds, in UTC. */
export const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
export const seconds = (at: number | undefined): number | null => (at === undefined ? null : Math.floor(at / 1000));
