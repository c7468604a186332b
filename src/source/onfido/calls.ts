import { object, word } from "../answer.ts";
import type { Call } from "../http.ts";

/** The requests of a dossier. `name` is how the API's documentation writes them. Ids are checked, so paths are safe. */
export const APPLICANTS = "GET /applicants";
export const APPLICANT = "GET /applicants/{applicant_id}";
export const RUNS = "GET /workflow_runs";
export const CHECKS = "GET /checks";

/** A list that belongs to an applicant, and where its elements are. */
export interface ListCall {
  readonly call: Call;
  /** Null for a bare array. */
  readonly key: string | null;
  /** The member that says whose each element is, and what it must say. Undefined if they do not say it. */
  readonly owner?: { readonly member: string; readonly id: string };
}

/**
 * Deleted applicants are listed too: else one that is deleted during the walk would move everyone after it up by one.
 */
export const applicantsCall = (page: number, size: number): Call => ({
  name: APPLICANTS,
  path: `/applicants?page=${page}&per_page=${size}&include_deleted=true`,
});

export const applicantCall = (id: string): Call => ({ name: APPLICANT, path: `/applicants/${id}` });

/** Has no other size of page than Onfido's own. */
export const runsCall = (applicant: string, page: number): Call => ({
  name: RUNS,
  path: `/workflow_runs?applicant_id=${applicant}&page=${page}`,
});

export const checksCall = (applicant: string): ListCall => of("checks", "applicant_id", applicant);
export const reportsCall = (check: string): ListCall => of("reports", "check_id", check);

export const consentsCall = (applicant: string): ListCall => ({
  call: { name: `${APPLICANT}/consents`, path: `/applicants/${applicant}/consents` },
  key: null,
});

export const MEDIA = ["live_photos", "live_videos", "motion_captures", "id_photos", "signing_documents"] as const;
export const mediaCall = (plural: (typeof MEDIA)[number] | "documents", applicant: string): ListCall =>
  of(plural, "applicant_id", applicant);

export const monitorsCall = (applicant: string): ListCall => ({
  call: { name: "GET /watchlist_monitors", path: `/watchlist_monitors?applicant_id=${applicant}&include_deleted=true` },
  key: "monitors",
});

export const matchesCall = (monitor: string): ListCall => ({
  call: { name: "GET /watchlist_monitors/{monitor_id}/matches", path: `/watchlist_monitors/${monitor}/matches` },
  key: "matches",
});

export const tasksCall = (run: string): ListCall => ({
  call: { name: "GET /workflow_runs/{workflow_run_id}/tasks", path: `/workflow_runs/${run}/tasks` },
  key: null,
});

export const taskCall = (run: string, task: string): Call => ({
  name: "GET /workflow_runs/{workflow_run_id}/tasks/{task_id}",
  path: `/workflow_runs/${run}/tasks/${task}`,
});

function of(plural: string, filter: string, id: string): ListCall {
  const call = { name: `GET /${plural}`, path: `/${plural}?${filter}=${id}` };
  return { call, key: plural, owner: { member: filter, id } };
}

/** Onfido's errors: `{"error":{"type":"resource_not_found","message":"…"}}`. */
export function isRefusal(answer: unknown): boolean {
  return word(object(object(answer).error).type) !== null;
}
