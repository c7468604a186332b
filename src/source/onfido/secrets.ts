import { textWithout } from "../secrets.ts";

/**
 * The text of an answer without what lets anyone continue the applicant's check: the token of an SDK, and the address of
 * a workflow run's link.
 */
export function textWithoutSecrets(text: string): string {
  return textWithout(text, (path) => path.at(-1) === "sdk_token" || (path.at(-1) === "url" && path.at(-2) === "link"));
}
