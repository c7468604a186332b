import type { SealedRecord } from "../record/record.ts";
import { type Child, element, foreign } from "./element.ts";
import { cut } from "./format.ts";
import { isObject } from "./json.ts";

const MAX_RAW = 200_000;
const MAX_ANSWERS = 200;
const MAX_SIGNATURE = 200;

interface RawAnswer {
  readonly endpoint: string;
  readonly text: string;
  /** Undefined where the provider signs nothing; null where it signs answers, but did not sign this one. */
  readonly signature?: string | null | undefined;
}

/** The provider's answers to the character, with their signatures where the provider signs. */
export function rawAnswersView({ source, raw }: Pick<SealedRecord, "source" | "raw">): HTMLElement | null {
  const answers = answersOf(source, raw);
  if (answers.length === 0) return null;
  const signed = answers.filter(({ signature }) => typeof signature === "string").length;
  const isSigning = answers.some(({ signature }) => signature !== undefined);
  return element(
    "section",
    { "aria-labelledby": "answers", class: "answers" },
    element("h3", { id: "answers" }, "The provider's answers, as they came"),
    isSigning && element("p", { class: "signed" }, signatureText(signed, answers.length)),
    answers.map(rawView),
  );
}

function signatureText(signed: number, all: number): string {
  const which = signed === all ? "each of these answers" : `${signed} of these ${all} answers`;
  return `The provider signed ${which} with the secret that it shares with the client. Holdfast checked each signature with that secret before it kept the answer. The secret is not in this bag, so this page does not check them again. Anyone who has it can: a signature is the HMAC-SHA256, in hex, of the answer as the record has it, before this page laid it out.`;
}

/** A record/1 has no names for its answers; its list may lack what the format asks for. */
function answersOf(source: unknown, raw: unknown): RawAnswer[] {
  const named = Array.isArray(raw) ? raw : isObject(raw) ? [{ endpoint: "", text: raw.identity }] : [];
  const signatures = isObject(source) && source.kind === "veriff" ? signaturesIn(named) : null;
  const answers = signatures === null ? named : named.slice(0, -1);
  return answers.slice(0, MAX_ANSWERS).flatMap((answer: unknown, at) => {
    const { endpoint, text } = isObject(answer) ? answer : {};
    if (typeof text !== "string") return [];
    return [{ endpoint: typeof endpoint === "string" ? cut(endpoint, 80) : "", text, signature: signatures?.[at] }];
  });
}

/** The last element of a record of Veriff: a signature, or null, for each answer before it. Null if it is not that. */
function signaturesIn(raw: readonly unknown[]): readonly (string | null)[] | null {
  const last = raw.at(-1);
  if (!isObject(last) || last.endpoint !== "x-hmac-signature" || typeof last.text !== "string") return null;
  try {
    const list: unknown = JSON.parse(last.text);
    const isWhole = Array.isArray(list) && list.length === raw.length - 1;
    return isWhole && list.every((each) => each === null || typeof each === "string") ? list : null;
  } catch {
    return null;
  }
}

function rawView({ endpoint, text: raw, signature }: RawAnswer): HTMLElement {
  let text = raw;
  try {
    text = JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    // Shown as it came.
  }
  const lines = text.slice(0, MAX_RAW).split("\n");
  return element(
    "details",
    { class: "raw" },
    element("summary", {}, "The provider's answer", endpoint === "" ? "" : [" to ", foreign(endpoint)]),
    signature !== undefined && element("p", { class: "aside signature" }, signatureOf(signature)),
    text.length > MAX_RAW &&
      element("p", { class: "aside" }, `The first ${MAX_RAW} of ${text.length} characters; holdfast open gives all.`),
    element(
      "pre",
      { tabindex: "0" },
      // Line by line: a break is what the layout made, and everything else is written out.
      lines.flatMap((line) => [line, element("br")]),
    ),
  );
}

function signatureOf(signature: string | null): Child[] {
  if (signature === null) return ["The provider did not sign this answer."];
  return ["Signature ", foreign(signature, MAX_SIGNATURE)];
}
