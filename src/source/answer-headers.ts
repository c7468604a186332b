import type { Dispatcher } from "undici";

/** Headers of an answer by their names in lower case. Untrusted, like its body, and maybe personal. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** No header that a source reads is longer, in characters; undici already limits all of them together. */
const MAX_LENGTH = 1024;

/** Without headers that are too long. A header that is repeated is left out: its values may contradict each other. */
export function answerHeaders(headers: Dispatcher.ResponseData["headers"]): AnswerHeaders {
  const kept: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (typeof value === "string" && value.length <= MAX_LENGTH) kept[name] = value;
  return Object.freeze(kept);
}
