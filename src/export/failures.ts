import { type ErrorCode, HoldfastError, hasCode, isTransient } from "../core/error.ts";
import type { Run } from "./context.ts";

/** Failures in a row after which it is not the record that is at fault; fewer where each was retried for long. */
export const IN_A_ROW = 20;
const OUTAGES_IN_A_ROW = 10;
/** What one record's own data can bring about. It says nothing of the next record, unless nearly all others fail too. */
const OF_THE_RECORD: readonly ErrorCode[] = ["source-response", "log-rejected", "malformed", "unverified", "internal"];
/** Failures of that kind in a row after which it is the provider, or this program, and not the records. */
const BAD_RECORDS_IN_A_ROW = 500;
/** The same for outages while the provider answers about its project: each of them takes minutes of retries. */
const OUTAGES_BESIDE_PROJECT = 30;
/** Codes of a capture that every further record would meet too. */
export const FATAL: readonly ErrorCode[] = [
  "source-key",
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

/** Whether the provider takes the key and answers, asked for the one thing that is no record. */
export async function answers({ source }: Run): Promise<boolean> {
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

/** Where it failed: the source, the vault, … */
export function stageOf(code: ErrorCode): string {
  return code.split("-")[0]!;
}
