import { object } from "../answer.ts";
import type { Call } from "../http.ts";

/** The requests, named as Veriff's documentation writes them. Ids are checked, so paths are safe. */
export const DECISION = "GET /sessions/{id}/decision";
export const ATTEMPTS = "GET /sessions/{id}/attempts";
export const MEDIA = "GET /attempts/{id}/media";
export const PERSON = "GET /sessions/{id}/person";
export const WATCHLIST = "GET /sessions/{id}/watchlist-screening";
export const FILE = "GET /media/{id}";

export const decisionCall = (session: string): Call => ({ name: DECISION, path: `/sessions/${session}/decision` });
export const attemptsCall = (session: string): Call => ({ name: ATTEMPTS, path: `/sessions/${session}/attempts` });
/** Of one attempt: what Veriff lists of a session is of its last attempt only. */
export const mediaCall = (attempt: string): Call => ({ name: MEDIA, path: `/attempts/${attempt}/media` });
export const personCall = (session: string): Call => ({ name: PERSON, path: `/sessions/${session}/person` });
export const watchlistCall = (session: string): Call => ({
  name: WATCHLIST,
  path: `/sessions/${session}/watchlist-screening`,
  // Integrations without screening are refused; nothing says with what code, or whether with one.
  saysMissing: (answer) => isFailure(object(answer).status),
});
/** Older checks against the registries of Mexico. Those of other countries, and newer ones, are part of the decision. */
export const REGISTRIES = ["ine-registry", "curp-registry", "combined-ine-curp-registry"] as const;
export const registryCall = (session: string, registry: (typeof REGISTRIES)[number]): Call => ({
  name: `GET /sessions/{id}/decision/${registry}`,
  path: `/sessions/${session}/decision/${registry}`,
  // Most integrations have no such check, and nothing says how they refuse. It is no part of the content.
  saysMissing: () => true,
});
export const fileCall = (medium: string): Call => ({ name: FILE, path: `/media/${medium}` });

/** Veriff's errors: `{"status":"fail","code":"1104","message":"…"}`, where the status may also be a number as text. */
export function isRefusal(answer: unknown): boolean {
  const { status, code } = object(answer);
  return isFailure(status) && (typeof code === "string" || typeof code === "number");
}

const isFailure = (status: unknown): boolean => typeof status === "string" && /^(fail|\d{3})$/.test(status);

/** The id in a path of this API, which its signature is over. */
export function idInPath(path: string): string {
  return /\/(?:sessions|attempts|media)\/([A-Za-z0-9_-]+)(?:\/[a-z-]+){0,2}$/.exec(path)?.[1] ?? "";
}
