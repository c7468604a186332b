import { list, object, word } from "../answer.ts";
import type { Call } from "../http.ts";

/** The requests of a dossier. `name` is how the API's documentation writes them. Ids are checked, so paths are safe. */
export const INQUIRY = "GET /inquiries/{inquiry-id}";
export const INQUIRIES = "GET /inquiries";
export const SEARCH = "POST /inquiries/search";

const INCLUDED = [
  ...["account", "documents", "selfies", "verifications", "reports", "sessions", "transaction", "reviewer"],
  ...["inquiry-template", "inquiry-template-version"],
];

export const inquiryCall = (id: string): Call => one(INQUIRY, `/inquiries/${id}`, INCLUDED);

/** Without what a minimal record does not need: the verdict, and dates of birth. */
export const shortInquiryCall = (id: string): Call => one(INQUIRY, `/inquiries/${id}`, ["verifications"]);

export const documentCall = (id: string): Call =>
  one("GET /documents/{document-id}", `/documents/${id}`, ["document-files"]);

export const caseCall = (id: string): Call => one("GET /cases/{case-id}", `/cases/${id}`, ["case-comments"]);

/** How to ask for what a relation of an inquiry names, if the inquiry's answer does not include it. */
export const SINGLE: Readonly<Record<string, (id: string) => Call>> = {
  account: (id) => one("GET /accounts/{account-id}", `/accounts/${id}`),
  verifications: (id) => one("GET /verifications/{verification-id}", `/verifications/${id}`),
  reports: (id) => one("GET /reports/{report-id}", `/reports/${id}`),
  sessions: (id) => one("GET /inquiry-sessions/{inquiry-session-id}", `/inquiry-sessions/${id}`),
  transaction: (id) => one("GET /transactions/{transaction-id}", `/transactions/${id}`),
};

/** Few per page: a report on adverse media can be long. */
const REPORTS = 25;

export const reportsCall = (account: string, after: string | null): Call =>
  pageOf("GET /reports", "/reports", REPORTS, after, `&filter[account-id]=${account}`);

export const casesCall = (inquiry: string, after: string | null): Call =>
  pageOf("GET /cases", "/cases", 100, after, `&filter[inquiry-id]=${inquiry}`);

export const inquiriesCall = (size: number, after: string | null): Call => pageOf(INQUIRIES, "/inquiries", size, after);

/** One object of a list, to see whether the key may read it. */
export const pageCall = (list: string): Call => pageOf(`GET /${list}`, `/${list}`, 1, null);

/** Oldest change first: who changes meanwhile moves to the end, so some come twice and no one is missed. */
export function searchCall(since: string, size: number, after: string | null): Call {
  const query = { attribute: "updated_at", operator: "gte", value: since };
  const sort = { attribute: "updated_at", direction: "asc" };
  const page = { size, ...(after === null ? {} : { after }) };
  return { name: SEARCH, path: "/inquiries/search", body: JSON.stringify({ query, sort, page }) };
}

function one(name: string, path: string, include: readonly string[] = []): Call {
  return { name, path: include.length === 0 ? path : `${path}?include=${include.join(",")}` };
}

function pageOf(name: string, path: string, size: number, after: string | null, filter = ""): Call {
  // Never the answer's own link: it may leave out the page's size.
  const query = `page[size]=${size}${after === null ? "" : `&page[after]=${after}`}${filter}`;
  return { name, path: `${path}?${query.replaceAll("[", "%5B").replaceAll("]", "%5D")}` };
}

/** Persona's errors: `{"errors":[{"title":"Record not found"}]}`. */
export function isRefusal(answer: unknown): boolean {
  return word(object(list(object(answer).errors)[0]).title) !== null;
}
