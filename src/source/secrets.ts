import { endOfString } from "../io/exact-json.ts";

/** Whether a member is a secret, by the keys that lead to it. Lists add no key. */
export type IsSecret = (path: readonly string[]) => boolean;

/**
 * The text of an answer with null in place of its secrets, and otherwise byte for byte: the only change that Holdfast
 * makes to an answer. The text must be valid JSON.
 */
export function textWithout(text: string, isSecret: IsSecret): string {
  let out = "";
  let done = 0;
  /** The key of each object or list around the present place; null for an element. */
  const around: (string | null)[] = [];
  let key: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "{" || letter === "[") around.push(key);
    else if (letter === "}" || letter === "]") around.pop();
    if (letter === "{" || letter === "[" || letter === ",") key = null;
    if (letter !== '"') continue;
    const end = endOfString(text, at);
    const colon = afterBlank(text, end);
    const word = text.slice(at, end);
    at = end - 1;
    if (text[colon] !== ":") continue;
    key = JSON.parse(word) as string;
    if (!isSecret([...around.filter((each) => each !== null), key])) continue;
    const value = afterBlank(text, colon + 1);
    out += `${text.slice(done, value)}null`;
    done = endOfValue(text, value);
    at = done - 1;
  }
  return out + text.slice(done);
}

function afterBlank(text: string, from: number): number {
  let at = from;
  while (/[ \t\r\n]/.test(text[at] ?? "")) at += 1;
  return at;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const letter = text[at]!;
    if (letter === '"') at = endOfString(text, at) - 1;
    else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") depth -= 1;
    if (depth < 0) return at;
    if (depth === 0 && /[,\s]/.test(text[at + 1] ?? "")) return at + 1;
  }
  return text.length;
}
