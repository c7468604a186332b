import type { AnswerHead } from "../source/rate/starts.ts";

/** A worker's report about one of its requests, with its own number for it. */
export type RequestReport =
  | { readonly kind: "start"; readonly worker: string; readonly number: number }
  | {
      readonly kind: "ended";
      readonly worker: string;
      readonly number: number;
      readonly answer: AnswerHead | undefined;
    }
  | { readonly kind: "silence"; readonly ms: number };

/** A start granted to a worker. */
export interface Granted {
  readonly number: number;
  readonly waited: boolean;
  /** Time of the start, in ms, by the coordinator's clock. */
  readonly at: number;
  /** The rate of all workers together, per second. */
  readonly rate: number;
}

/** Headers about limits. Nothing else of an answer goes through Redis. */
const HEADERS = /^(retry-after|(x-)?rate-?limit(-[a-z-]+)?)$/;
const WORKER = /^[0-9a-f-]{36}$/;

/**
 * Arrays, to be short, because every request has one: `["s", worker, n]`, `["e", worker, n, status, headers]`, `["q",
 * ms]`.
 */
export function formatReport(report: RequestReport): string {
  if (report.kind === "silence") return JSON.stringify(["q", report.ms]);
  const { worker, number } = report;
  if (report.kind === "start") return JSON.stringify(["s", worker, number]);
  if (!report.answer) return JSON.stringify(["e", worker, number]);
  const { status, headers } = report.answer;
  const telling = Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS.test(name)));
  return JSON.stringify(["e", worker, number, status, ...(Object.keys(telling).length > 0 ? [telling] : [])]);
}

/** Parses untrusted text. Undefined if it is not a report. */
export function parseReport(text: string): RequestReport | undefined {
  const fields = parse(text);
  if (!Array.isArray(fields)) return undefined;
  const [kind, worker, number, status, headers = {}] = fields as unknown[];
  if (kind === "q") return isCount(worker) ? { kind: "silence", ms: worker } : undefined;
  if (typeof worker !== "string" || !WORKER.test(worker) || !isCount(number)) return undefined;
  if (kind === "s") return { kind: "start", worker, number };
  if (kind !== "e") return undefined;
  if (status === undefined) return { kind: "ended", worker, number, answer: undefined };
  if (!isCount(status) || typeof headers !== "object" || headers === null) return undefined;
  const texts = Object.entries(headers).filter(([name, value]) => HEADERS.test(name) && isHeader(value));
  return { kind: "ended", worker, number, answer: { status, headers: Object.fromEntries(texts) } };
}

/** The same for what the dispenser sends. */
export function parseGranted(text: string): Granted | undefined {
  const fields = parse(text) as Partial<Record<keyof Granted, unknown>> | undefined;
  if (typeof fields !== "object" || fields === null) return undefined;
  const { number, waited, at, rate } = fields;
  if (!isCount(number) || typeof at !== "number" || typeof rate !== "number") return undefined;
  return { number, waited: waited === true, at, rate };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): boolean {
  return typeof value === "string" || (Array.isArray(value) && value.every((each) => typeof each === "string"));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
