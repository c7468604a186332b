import { latest } from "../answer.ts";
import { type Resource, timeOf } from "./answers.ts";

/** After its end, a check may be reopened, and people may send more. */
const AFTERMATH = Temporal.Duration.from({ hours: 30 * 24 });
/** What never ends, such as a link that the applicant never opens, is asked for no longer than this. */
const PATIENCE = Temporal.Duration.from({ hours: 90 * 24 });

const ENDED = ["approved", "declined", "review", "abandoned", "error", "complete", "withdrawn"];

/** Whether a workflow run or a check has ended. */
export const isFinal = ({ said }: Resource): boolean => ENDED.includes(String(said.status));

/** When something last happened that minimal and full dossiers both know of. */
export function lastTime(applicant: Resource, runs: readonly Resource[], checks: readonly Resource[]): string | null {
  return latest([
    timeOf(applicant, "created_at"),
    ...runs.map((run) => timeOf(run, "updated_at") ?? timeOf(run, "created_at")),
    // A check does not say when it ended.
    ...checks.map((check) => timeOf(check, "created_at")),
  ]);
}

/** Whether something may still happen that the list would not tell: it never shows how a check ends. */
export function isOpen(
  applicant: Resource,
  runs: readonly Resource[],
  checks: readonly Resource[],
  now: Temporal.Instant,
): boolean {
  const last = lastTime(applicant, runs, checks);
  if (last === null) return false;
  const isEnded = [...runs, ...checks].every(isFinal) && runs.length + checks.length > 0;
  const until = Temporal.Instant.from(last).add(isEnded ? AFTERMATH : PATIENCE);
  return Temporal.Instant.compare(now, until) < 0;
}
