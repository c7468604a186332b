/** What an applicant and its objects share: by which product they were checked, how that ended, and when. */
import { makePerson, type Person } from "../person.ts";
import { Random } from "../random.ts";
import type { Fate, World } from "./world.ts";

/** 2020-03-01. Each applicant is half an hour after the one before, so that the list is in the order of creation. */
const FIRST = 1_583_020_800_000;
const STEP = 1_800_000;
export const MINUTE = 60_000;

const RUN_START = [
  ["approved", 60],
  ["declined", 8],
  ["review", 8],
  ["processing", 6],
  ["awaiting_input", 8],
  ["abandoned", 6],
  ["error", 4],
] as const;
export type RunStatus = (typeof RUN_START)[number][0];
const NEXT_RUN: Readonly<Record<RunStatus, RunStatus>> = {
  awaiting_input: "processing",
  processing: "approved",
  approved: "review",
  review: "declined",
  declined: "approved",
  abandoned: "processing",
  error: "processing",
};

/** A check's status and result. */
const CHECK_START = [
  ["complete clear", 66],
  ["complete consider", 14],
  ["in_progress", 10],
  ["awaiting_applicant", 6],
  ["withdrawn", 4],
] as const;
export type CheckState = (typeof CHECK_START)[number][0];
const NEXT_CHECK: Readonly<Record<CheckState, CheckState>> = {
  awaiting_applicant: "in_progress",
  in_progress: "complete clear",
  "complete clear": "complete consider",
  "complete consider": "complete clear",
  withdrawn: "in_progress",
};

/** Studio runs workflows, Classic makes checks; an applicant may have both, or nothing yet. */
const PRODUCTS = [
  ["studio", 45],
  ["classic", 40],
  ["both", 10],
  ["nothing", 5],
] as const;

export interface Course {
  readonly fate: Fate;
  readonly created: number;
  /** When the documents and the face were taken; undefined before. */
  readonly captured: number | undefined;
  readonly run: { readonly status: RunStatus; readonly created: number; readonly updated: number } | undefined;
  readonly check: { readonly state: CheckState; readonly created: number } | undefined;
  readonly monitored: boolean;
}

const whole = (time: number) => Math.floor(time / 1000) * 1000;
export const isCaptured = (status: RunStatus) => status !== "awaiting_input" && status !== "abandoned";
export const hasEvidence = (status: RunStatus) => status === "approved" || status === "declined" || status === "review";

export function course(world: World, index: number): Course {
  const fate = world.fate(index);
  const random = new Random(world.seed, 310, index);
  const product = random.weighted(PRODUCTS);
  let status: RunStatus = random.weighted(RUN_START);
  for (let n = 0; n < fate.run; n++) status = NEXT_RUN[status];
  let state: CheckState = random.weighted(CHECK_START);
  for (let n = 0; n < fate.check; n++) state = NEXT_CHECK[state];
  const created = whole(fate.created ?? FIRST + index * STEP + random.integer(0, STEP - 1));
  const first = created + random.integer(200, 900) * 1000;
  const isStudio = product === "studio" || product === "both";
  const isClassic = product === "classic" || product === "both";
  const taken = (isStudio && isCaptured(status)) || (isClassic && state !== "awaiting_applicant");
  return {
    fate,
    created,
    captured: taken ? created + MINUTE : undefined,
    run: isStudio ? { status, created: created + 20_000, updated: Math.max(first, whole(fate.ran ?? 0)) } : undefined,
    check: isClassic ? { state, created: created + 2 * MINUTE } : undefined,
    monitored: isClassic && state.startsWith("complete") && random.chance(20),
  };
}

/** How an applicant signed in a run. A qualified signature has no receipt. */
export type Signature = "qualified" | "advanced" | "simple";

/** The signature in a run that came that far, and its files: the signed document, then the receipt. */
export function signatureOf(world: World, index: number): { kind: Signature; files: readonly number[] } | undefined {
  const { run } = course(world, index);
  if (index % 5 !== 1 || !run || !hasEvidence(run.status)) return undefined;
  const kind = (["qualified", "advanced", "simple"] as const)[Math.floor(index / 5) % 3]!;
  return { kind, files: kind === "qualified" ? [0] : [0, 1] };
}

export const personOf = (world: World, index: number): Person => makePerson(world.seed, index);

/** Onfido writes UTC in both ways, sometimes within one answer. */
export const zulu = (at: number): string => new Date(at).toISOString().replace(".000Z", "Z");
export const offset = (at: number): string => zulu(at).replace(/Z$/, "+00:00");
