import { isDeepStrictEqual } from "node:util";
import type { Policy, PolicyChanged, Unlogged } from "../audit/entry.ts";
import type { Keep, RetentionConfig } from "../config/config.ts";
import { logged, type Work } from "./work.ts";

/** A policy in the words of the config, every default filled in: what the log has of it. */
export function policyOf(retention: RetentionConfig, lock?: string): Policy {
  const { preset, classes, timezone, minimum, maximum, coolingOff, initialLock, extendWhenLessThan } = retention;
  const words = {
    preset,
    lock,
    ...{
      identifying: clock(classes.identifying),
      verification: clock(classes.verification),
      files: clock(classes.files),
    },
    ...{ timezone, initialLock, extendWhenLessThan, minimum, maximum, coolingOff },
  };
  return Object.fromEntries(
    Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

export function clock({ keep, from }: Keep): string {
  return `${keep} from ${from}`;
}

/** What is to be logged where other rules hold than the log says: before anything is done by them. */
export function policyChange({
  catalog,
  retention,
  mode,
}: Pick<Work, "catalog" | "retention" | "mode">): Unlogged<PolicyChanged> | undefined {
  const from = catalog.life.policy() ?? null;
  const to = policyOf(retention, mode);
  return isDeepStrictEqual(from, to) ? undefined : { type: "policy.changed", from, to };
}

/** From now on other rules hold: said in the log before anything is changed by them. No lock is shortened for it. */
export async function notePolicy(
  work: Pick<Work, "writer" | "catalog" | "run" | "now" | "retention" | "mode">,
): Promise<void> {
  const change = policyChange(work);
  if (!change) return;
  await logged(work, change);
  await work.writer.flush();
}
