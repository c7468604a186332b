import { type ErrorCode, HoldfastError, hasCode, isTransient } from "../core/error.ts";
import type { Run } from "./context.ts";

/** After this many failures in a row the cause is not the record. Fewer for failures that were each retried for long. */
export const IN_A_ROW = 20;
const OUTAGES_IN_A_ROW = 10;
/** Codes that a single record's data can cause. They say nothing about the next record, unless nearly all fail. */
const OF_THE_RECORD: readonly ErrorCode[] = ["source-response", "log-rejected", "malformed", "unverified", "internal"];
/** After this many of those in a row, the cause is the provider or this program, not the records. */
const BAD_RECORDS_IN_A_ROW = 500;
/** The same for outages while the provider still answers about its project. Each takes minutes of retries. */
const OUTAGES_BESIDE_PROJECT = 30;
/** Codes that every further record would fail with too. */
export const FATAL: readonly ErrorCode[] = [
  "source-key",
  "source-budget",
  "vault-denied",
  "vault-missing",
  "vault-unfit",
  "state",
  "forked",
  "busy",
];

export function isOfSource(error: unknown): boolean {
  return error instanceof HoldfastError && stageOf(error.code) === "source";
}

/** Whether the provider accepts the key and answers. Asks for the project, the only thing that is not a record. */
export async function isProviderAnswering({ source }: Run): Promise<boolean> {
  return source.project().then(
    () => true,
    () => false,
  );
}

export function mostInARow(error: unknown): number {
  if (isTransient(error)) return OUTAGES_IN_A_ROW;
  return !(error instanceof HoldfastError) || hasCode(error, ...OF_THE_RECORD) ? BAD_RECORDS_IN_A_ROW : IN_A_ROW;
}

export function mostWithProject(error: unknown): number {
  return isTransient(error) ? OUTAGES_BESIDE_PROJECT : BAD_RECORDS_IN_A_ROW;
}

/** The stage that failed: the source, the vault, … */
export function stageOf(code: ErrorCode): string {
  return code.split("-")[0]!;
}
