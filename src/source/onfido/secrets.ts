import { textWithout } from "../secrets.ts";

/**
 * The text of an answer without what lets anyone continue the applicant's check: the token of an SDK, the address of a
 * workflow run's link, and that of a check's form.
 */
export function textWithoutSecrets(text: string): string {
  return textWithout(
    text,
    (path) =>
      ["sdk_token", "form_uri"].includes(String(path.at(-1))) || (path.at(-1) === "url" && path.at(-2) === "link"),
  );
}
