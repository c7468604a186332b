import { object, word } from "../answer.ts";
import type { Call } from "../http.ts";

/** The requests, named as Stripe's documentation writes them. Ids are checked, so paths are safe. */
export const SESSION = "GET /identity/verification_sessions/{id}";
export const SESSIONS = "GET /identity/verification_sessions";
export const REPORTS = "GET /identity/verification_reports";
export const EVENTS = "GET /events";
export const FILE = "GET /files/{id}";
export const CONTENTS = "GET /files/{id}/contents";
export const FILE_LINK = "POST /file_links";
export const LINK = "GET {file-link}";
export const ACCOUNT: Call = { name: "GET /account", path: "/account" };

/**
 * What only a restricted key with a right to sensitive results sees, and only if it is named: to name the object around
 * it is not enough.
 */
export const SENSITIVE_OUTPUTS = ["dob", "id_number", "sex", "unparsed_place_of_birth", "unparsed_sex"];
export const SENSITIVE_REPORT: Readonly<Record<string, readonly string[]>> = {
  document: ["number", "expiration_date", "dob", "sex", "unparsed_place_of_birth", "unparsed_sex"],
  id_number: ["id_number", "dob"],
};
const REPORT_NAMES = Object.entries(SENSITIVE_REPORT).flatMap(([part, names]) =>
  names.map((name) => `${part}.${name}`),
);

const LAST = "last_verification_report";
const OUTPUTS = "verified_outputs";

/** `minimal`: the verdict and its time. `plain`: all that needs no right to sensitive results. `all`: with those. */
export type Depth = "minimal" | "plain" | "all";

const SESSION_EXPANSIONS: Readonly<Record<Depth, readonly string[]>> = {
  minimal: [LAST],
  plain: [LAST, OUTPUTS],
  all: [
    ...[LAST, OUTPUTS],
    ...SENSITIVE_OUTPUTS.map((name) => `${OUTPUTS}.${name}`),
    ...REPORT_NAMES.map((name) => `${LAST}.${name}`),
  ],
};

export const sessionCall = (id: string, depth: Depth): Call => ({
  name: SESSION,
  path: `/identity/verification_sessions/${id}?${expand(SESSION_EXPANSIONS[depth])}`,
});

/** The list never asks for sensitive results: it only shows who is new or changed. */
export const sessionsCall = (size: number, after: string | null, filter = ""): Call => ({
  name: SESSIONS,
  path: `/identity/verification_sessions?limit=${size}${cursor(after)}${filter}&${expand([`data.${LAST}`])}`,
});

export const reportsCall = (session: string, after: string | null, depth: Depth): Call => {
  const names = depth === "all" ? `&${expand(REPORT_NAMES.map((name) => `data.${name}`))}` : "";
  return {
    name: REPORTS,
    path: `/identity/verification_reports?verification_session=${session}&limit=100${cursor(after)}${names}`,
  };
};

/** Everything that moves a session's status. Stripe tells of a redaction only those who name it. */
const EVENT_TYPES = ["created", "processing", "verified", "requires_input", "canceled", "redacted"];

export const eventsCall = (since: number, size: number, after: string | null): Call => {
  const types = EVENT_TYPES.map((type) => `types%5B%5D=identity.verification_session.${type}`).join("&");
  return { name: EVENTS, path: `/events?limit=${size}${cursor(after)}&created%5Bgte%5D=${since}&${types}` };
};

export const fileCall = (id: string): Call => ({ name: FILE, path: `/files/${id}` });

/** On the origin that Stripe names for files, which may see the key. */
export const contentsCall = (origin: string, id: string): Call => ({
  name: CONTENTS,
  origin,
  path: `/v1/files/${id}/contents`,
});

/**
 * The only request that creates something: a link that opens one file to anyone, and expires by itself.
 * @param expires when, in Unix seconds, by Stripe's time when the request is sent
 */
export const fileLinkCall = (id: string, expires: (now: Temporal.Instant) => number): Call => ({
  name: FILE_LINK,
  path: "/file_links",
  body: (now) => `file=${id}&expires_at=${expires(now)}`,
  form: true,
});

const expand = (names: readonly string[]): string => names.map((name) => `expand%5B%5D=${name}`).join("&");
const cursor = (after: string | null): string => (after === null ? "" : `&starting_after=${after}`);

/** Stripe's errors: `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"…"}}`. */
export function isRefusal(answer: unknown): boolean {
  return word(object(object(answer).error).type) !== null;
}
