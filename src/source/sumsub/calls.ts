import { object } from "../answer.ts";
import type { Call } from "../http.ts";

/** The requests of a dossier. `name` is how the API's documentation writes them. Ids are checked, so paths are safe. */
export const APPLICANT = "GET /resources/applicants/{applicantId}/one";
export const AML_CASE = "GET /resources/api/applicants/{applicantId}/amlCase";
export const CHECKS = "GET /resources/checks/latest";
export const IMAGES = "GET /resources/applicants/{applicantId}/metadata/resources";
export const IMAGE = "GET /resources/inspections/{inspectionId}/resources/{imageId}";
const ACTIONS = "GET /resources/applicantActions/-;applicantId={applicantId}";

/** Kinds of checks that `CHECKS` answers for people; companies have one more. */
export const CHECK_TYPES = ["TIN", "EMAIL_CONFIRMATION", "PHONE_CONFIRMATION", "IP_CHECK", "POA", "SIMILAR_SEARCH"];
export const COMPANY_CHECK = "COMPANY";

export const LEVELS: Call = { name: "GET /resources/applicants/-/levels", path: "/resources/applicants/-/levels" };

/** @param below the step after the applicant's id */
const ofApplicant =
  (below: string) =>
  (id: string): Call => ({
    name: `GET /resources/applicants/{applicantId}/${below}`,
    path: `/resources/applicants/${id}/${below}`,
  });

/** What says whether someone is there. */
export const applicantCall = ofApplicant("one");
export const statusCall = ofApplicant("status");
export const stepsCall = ofApplicant("requiredIdDocsStatus");
export const historyCall = ofApplicant("review/history");
export const imagesCall = ofApplicant("metadata/resources");
export const allDocsCall = ofApplicant("allDocs/docs");

/** @param reference the client's own: any text that can be encoded */
export const referenceCall = (reference: string): Call => ({
  name: "GET /resources/applicants/-;externalUserId={externalUserId}/one",
  path: `/resources/applicants/-;externalUserId=${encodeURIComponent(reference)}/one`,
});

/** Sumsub's errors: `{"description":"…","code":404,"correlationId":"…"}`. */
export function isRefusal(answer: unknown): boolean {
  const { description, code } = object(answer);
  return typeof description === "string" && (code === 404 || code === 410);
}

export const moderationCall = (id: string): Call => ({
  name: "GET /resources/moderationStates/-;applicantId={applicantId}",
  path: `/resources/moderationStates/-;applicantId=${id}`,
});

export const amlCall = (id: string): Call => ({ name: AML_CASE, path: `/resources/api/applicants/${id}/amlCase` });

export const checkCall = (id: string, type: string): Call => ({
  name: `${CHECKS}?type=${type}`,
  path: `/resources/checks/latest?type=${type}&applicantId=${id}`,
});

export const actionsCall = (id: string, limit: number, offset: number): Call => ({
  name: ACTIONS,
  path: `/resources/applicantActions/-;applicantId=${id}?limit=${limit}&offset=${offset}`,
});

export const inspectionCall = (id: string): Call => ({
  name: "GET /resources/inspections/{inspectionId}?fields=videoIdentData",
  path: `/resources/inspections/${id}?fields=videoIdentData`,
});

export const imageCall = (inspection: string, image: string): Call => ({
  name: IMAGE,
  path: `/resources/inspections/${inspection}/resources/${image}`,
});

export const actionImageCall = (action: string, image: string): Call => ({
  name: "GET /resources/applicantActions/{actionId}/images/{imageId}",
  path: `/resources/applicantActions/${action}/images/${image}`,
});

export const recordingCall = (applicant: string, media: string): Call => ({
  name: "GET /resources/videoIdent/applicant/{applicantId}/media/{compositionMediaId}",
  path: `/resources/videoIdent/applicant/${applicant}/media/${media}`,
});
