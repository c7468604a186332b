import type { Redis } from "ioredis";

/** Names of the backfill of one source in Redis. Only subjects and counts are readable there. */
export function namesOf(client: string, source: string) {
  // Neither has a dot in its name.
  const name = `${client}.${source}`;
  const of = (what: string) => `${PREFIX}:${name}:${what}`;
  return {
    /** BullMQ's queue of identities. */
    queue: `${name}-backfill`,
    /** List: workers ask for starts and report how requests ended. */
    starts: of("starts"),
    /** One list per worker: granted starts. */
    granted: (worker: string) => of(`granted:${worker}`),
    /** Whether a backfill is running: see `Stage`. */
    stage: of("stage"),
  };
}

export const PREFIX = "holdfast";
export type Names = ReturnType<typeof namesOf>;

/**
 * What workers know about a backfill: `open` means that its coordinator is alive, `ended` that nothing is left to do.
 */
export interface Stage {
  readonly run: string;
  readonly is: "open" | "ended";
}

/** Seconds until `open` expires unless renewed. An end is remembered for a day. */
const OPEN = 30;
const ENDED = 24 * 60 * 60;

export async function setStage(redis: Redis, key: string, stage: Stage): Promise<void> {
  await redis.set(key, `${stage.is} ${stage.run}`, "EX", stage.is === "open" ? OPEN : ENDED);
}

export async function readStage(redis: Redis, key: string): Promise<Stage | undefined> {
  const [is, run] = ((await redis.get(key)) ?? "").split(" ");
  return run && (is === "open" || is === "ended") ? { is, run } : undefined;
}
