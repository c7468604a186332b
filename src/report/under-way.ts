import { AT_ONCE_JOB } from "../catalog/runs.ts";
import { minute } from "../observe/format.ts";

/** Whether a run writes to the vault now, so that the log is behind what is stored. Job and time are the lease's: untrusted. */
export type UnderWay =
  | { readonly state: "idle" }
  /** `since` is RFC 3339 UTC. */
  | { readonly state: "running"; readonly job: string; readonly since: string }
  /** The lease could not be read. */
  | { readonly state: "unknown"; readonly why: string };

/** A sentence about a run that writes now, or may; undefined where no run does. */
export function underWayText(of: UnderWay): string | undefined {
  switch (of.state) {
    case "idle":
      return undefined;
    case "running":
      return `${jobText(of.job)} is under way since ${minute(of.since)} UTC; the figures are of the log as it is now.`;
    case "unknown":
      return `Could not check whether an export is under way: ${of.why}.`;
  }
}

export function isExporting(of: UnderWay): boolean {
  return of.state === "running" && (of.job === "export" || of.job === "backfill");
}

const JOBS: Readonly<Record<string, string>> = {
  export: "An export",
  backfill: "A backfill",
  [AT_ONCE_JOB]: "An export of people named by webhooks",
  purge: "A purge",
  retention: "An extension of locks",
  relationship: "A change of relationships",
  hold: "A change of legal holds",
  retrieve: "A retrieval",
  init: "A change of the log key",
};

function jobText(job: string): string {
  return Object.hasOwn(JOBS, job) ? JOBS[job]! : `A run (${job})`;
}
