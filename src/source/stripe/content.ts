import { object } from "../answer.ts";
import type { Members } from "./answers.ts";
import { SENSITIVE_OUTPUTS, SENSITIVE_REPORT } from "./calls.ts";
import { withoutSecrets } from "./secrets.ts";

/**
 * Without sensitive results. A key may see them for 48 hours only: what was read on the first night must not seem
 * changed later, or a poorer record would follow a whole one. They never change alone: a report is final, and each new
 * attempt makes another.
 */
export function comparableReport(report: Members): Members {
  return Object.fromEntries(
    Object.entries(report).map(([part, value]) => [part, without(value, SENSITIVE_REPORT[part] ?? [])]),
  );
}

/** Also without `url` and `client_secret`, which Stripe makes again for each answer. */
export function comparableSession(session: Members): Members {
  const { last_verification_report: last, verified_outputs: outputs, ...rest } = withoutSecrets(session);
  return {
    ...rest,
    ...(last === undefined ? {} : { last_verification_report: isObject(last) ? comparableReport(object(last)) : last }),
    ...(outputs === undefined ? {} : { verified_outputs: without(outputs, SENSITIVE_OUTPUTS) }),
  };
}

/** What the list shows of a session: it does not expand `verified_outputs`. */
export function listedSession(session: Members): Members {
  const { verified_outputs: _, ...rest } = comparableSession(session);
  return rest;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

function without(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value) || names.length === 0) return value;
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => !names.includes(name)));
}
