import type { Redis } from "ioredis";

/** What one client's backfill is called in Redis. Subjects and counts stand there in the open, and nothing else. */
export function namesOf(client: string) {
  const of = (what: string) => `${PREFIX}:${client}:${what}`;
  return {
    /** BullMQ's queue of identities. */
    queue: `${client}-backfill`,
    /** List: workers ask for starts, and tell how requests ended. */
    starts: of("starts"),
    /** List for each worker: the starts that were granted. */
    granted: (worker: string) => of(`granted:${worker}`),
    /** Whether a backfill is under way: see `Stage`. */
    stage: of("stage"),
  };
}

export const PREFIX = "holdfast";
export type Names = ReturnType<typeof namesOf>;

/** What workers know of a backfill: `open` says that its coordinator lives, `ended` that there is no more to do. */
export interface Stage {
  readonly run: string;
  readonly is: "open" | "ended";
}

/** Seconds that it stands unless it is said again; an end is remembered for a day. */
const OPEN = 30;
const ENDED = 24 * 60 * 60;

export async function setStage(redis: Redis, key: string, stage: Stage): Promise<void> {
  await redis.set(key, `${stage.is} ${stage.run}`, "EX", stage.is === "open" ? OPEN : ENDED);
}

export async function stageOf(redis: Redis, key: string): Promise<Stage | undefined> {
  const [is, run] = ((await redis.get(key)) ?? "").split(" ");
  return run && (is === "open" || is === "ended") ? { is, run } : undefined;
}
