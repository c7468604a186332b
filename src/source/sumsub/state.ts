import { list, object, word } from "../answer.ts";
import { latest, type Members, timeOf } from "./answers.ts";

/** What is asked for every night no longer than this. A webhook tells what happens later. */
const PATIENCE = Temporal.Duration.from({ hours: 30 * 24 });

const reviewOf = (applicant: Members): Members => object(applicant.review);

/** When something last happened that minimal and full dossiers both know of. The API has no time of the last change. */
export function lastTime(applicant: Members): string | null {
  const { createDate, startDate, reviewDate } = reviewOf(applicant);
  return latest([applicant.createdAt, createDate, startDate, reviewDate].map(timeOf));
}

const isDeactivated = (applicant: Members): boolean => applicant.deleted === true;

/** The status as Sumsub names it, with the answer once there is one: `completed/GREEN`. */
export function statusOf(applicant: Members): string {
  if (isDeactivated(applicant)) return "deactivated";
  const { reviewStatus, reviewResult } = reviewOf(applicant);
  const { reviewAnswer, reviewRejectType } = object(reviewResult);
  const status = word(reviewStatus) ?? "unknown";
  if (status !== "completed") return status;
  return [status, ...[word(reviewAnswer), word(reviewRejectType)].filter((part) => part !== null)].join("/");
}

/** What the review last decided; null while another one is going on. A person may still try again after RETRY. */
export function verdict(applicant: Members): boolean | null {
  const { reviewStatus, reviewResult } = reviewOf(applicant);
  const { reviewAnswer } = object(reviewResult);
  if (reviewStatus !== "completed") return null;
  return reviewAnswer === "GREEN" ? true : reviewAnswer === "RED" ? false : null;
}

/** Whether the person sent anything yet. */
export function hasBegun(applicant: Members): boolean {
  const { reviewStatus, startDate, reviewDate } = reviewOf(applicant);
  return reviewStatus !== "init" || timeOf(startDate) !== null || timeOf(reviewDate) !== null;
}

/** Whether the review is going on, and lately was. */
export function isOpen(applicant: Members, now: Temporal.Instant): boolean {
  const last = lastTime(applicant);
  if (last === null || isDeactivated(applicant) || reviewOf(applicant).reviewStatus === "completed") return false;
  return Temporal.Instant.compare(now, Temporal.Instant.from(last).add(PATIENCE)) < 0;
}

/**
 * Whether the applicant's data names anyone. Sumsub does not mark what it erased, so that is how an erasure is told.
 * References of the client's own may remain.
 */
export function namesSomeone(applicant: Members): boolean {
  const { email, phone, info, fixedInfo } = applicant;
  const company = object(object(info).companyInfo);
  const names = [info, fixedInfo].map(object).flatMap((of) => [of.firstName, of.lastName, of.firstNameEn, of.dob]);
  return (
    [email, phone, company.companyName, company.registrationNumber, ...names].some((value) => word(value) !== null) ||
    list(object(info).idDocs).length > 0
  );
}
