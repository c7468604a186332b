/** What an applicant and all that belongs to it share: how far the review is, and when that was. */
import { makePerson, type Person } from "../person.ts";
import { Random } from "../random.ts";
import type { Fate, World } from "./world.ts";

/** 2020-03-01. Each applicant is half an hour after the one before. */
const FIRST = 1_583_020_800_000;
const STEP = 1_800_000;
export const MINUTE = 60_000;
export const LEVEL = "basic-kyc-level";

/** A part of an answer. */
export type Wire = Readonly<Record<string, unknown>>;

/** `reviewStatus`, and for `completed` the answer and how final a rejection is. */
const STATES = [
  ["completed GREEN", 58],
  ["completed RED FINAL", 6],
  ["completed RED RETRY", 6],
  ["init", 10],
  ["pending", 6],
  ["prechecked", 2],
  ["queued", 4],
  ["onHold", 4],
  ["awaitingUser", 2],
  ["awaitingService", 2],
] as const;
type State = (typeof STATES)[number][0];

const NEXT: Readonly<Record<State, State>> = {
  init: "pending",
  pending: "completed GREEN",
  prechecked: "queued",
  queued: "onHold",
  onHold: "completed RED FINAL",
  awaitingUser: "pending",
  awaitingService: "pending",
  // A GREEN may turn RED later.
  "completed GREEN": "completed RED FINAL",
  "completed RED RETRY": "pending",
  "completed RED FINAL": "completed GREEN",
};

export interface Course {
  readonly fate: Fate;
  readonly isCompany: boolean;
  readonly created: number;
  readonly status: string;
  readonly answer: string | undefined;
  readonly rejectType: string | undefined;
  /** Whether documents were sent. Before that, nothing of the person is known. */
  readonly captured: boolean;
  /** When the newest attempt began, and when it was decided. */
  readonly started: number;
  readonly reviewed: number | undefined;
  /** When there was a video call. */
  readonly called: number | undefined;
  /** Reviews so far. */
  readonly attempts: number;
}

const whole = (time: number) => Math.floor(time / 1000) * 1000;

export function course(world: World, index: number): Course {
  const fate = world.fate(index);
  const random = new Random(world.seed, 410, index);
  let state: State = random.weighted(STATES);
  for (let n = 0; n < fate.review; n++) state = NEXT[state];
  const [status = "", answer, rejectType] = state.split(" ");
  const created = whole(fate.created ?? FIRST + index * STEP + random.integer(0, STEP - 1));
  const first = created + random.integer(200, 900) * 1000;
  const changed = Math.max(first, whole(fate.reviewed ?? 0));
  const captured = status !== "init";
  const started = fate.review > 0 ? changed : created + MINUTE;
  return {
    ...{ fate, created, status, answer, rejectType, captured, started },
    isCompany: index % 10 === 7,
    reviewed: status === "completed" ? changed + MINUTE : undefined,
    called: captured && index % 6 === 2 ? created + 5 * MINUTE : undefined,
    attempts: captured ? 1 + fate.review + fate.recaptured : 0,
  };
}

export const personOf = (world: World, index: number): Person => makePerson(world.seed, index);

/** `createdAt` has no zone, and means GMT. */
export const plain = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ");
/** Reviews have one. */
export const zoned = (at: number): string => `${plain(at)}+0000`;
