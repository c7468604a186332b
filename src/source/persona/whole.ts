import type { Resource } from "./answers.ts";

/** Attributes that every inquiry has. A key's attribute blocklist takes some away, and no answer says so. */
const ALWAYS = [
  ...["status", "reference-id", "note", "behaviors", "tags", "creator", "reviewer-comment", "created-at", "updated-at"],
  ...["started-at", "expires-at", "completed-at", "failed-at", "marked-for-review-at", "decisioned-at", "expired-at"],
  ...["redacted-at", "previous-step-name", "next-step-name", "fields"],
];

export function missingAttributes({ attributes }: Resource): string[] {
  return ALWAYS.filter((name) => !Object.hasOwn(attributes, name));
}
