import { object } from "../answer.ts";
import type { Members } from "./answers.ts";
import { SENSITIVE_REPORT } from "./calls.ts";
import { withoutSecrets } from "./secrets.ts";

/**
 * What the list shows of a session: it does not expand `verified_outputs`, and of the last report no sensitive member.
 * Without `url` and `client_secret`, which Stripe makes again for each answer.
 */
export function listedSession(session: Members): Members {
  const { last_verification_report: last, verified_outputs: _, ...rest } = withoutSecrets(session);
  return { ...rest, ...(last === undefined ? {} : { last_verification_report: listedReport(last) }) };
}

function listedReport(report: unknown): unknown {
  if (!isObject(report)) return report;
  const parts = Object.entries(object(report));
  return Object.fromEntries(parts.map(([part, value]) => [part, without(value, SENSITIVE_REPORT[part] ?? [])]));
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

function without(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value) || names.length === 0) return value;
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => !names.includes(name)));
}
