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
    /** Whether a backfill is under way: see `stage.ts`. */
    stage: of("stage"),
  };
}

export const PREFIX = "holdfast";
export type Names = ReturnType<typeof namesOf>;
