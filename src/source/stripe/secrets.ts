import { endOfString } from "../../io/exact-json.ts";

/**
 * Members of a session that let anyone continue the person's check. While a session waits for input, Stripe makes them
 * again for each answer.
 */
const SECRET = new Set(["url", "client_secret"]);

/** The session without its secrets. */
export function withoutSecrets(session: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).map(([name, value]) => [name, SECRET.has(name) ? null : value]));
}

/**
 * The text of a session with null in place of its secrets, and otherwise byte for byte: the only change that Holdfast
 * makes to an answer. The text must be valid JSON.
 */
export function textWithoutSecrets(text: string): string {
  let out = "";
  let done = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") depth -= 1;
    if (letter !== '"') continue;
    const end = endOfString(text, at);
    const colon = afterBlank(text, end);
    // Metadata may have members of the same name.
    if (depth === 1 && text[colon] === ":" && SECRET.has(JSON.parse(text.slice(at, end)) as string)) {
      const value = afterBlank(text, colon + 1);
      out += `${text.slice(done, value)}null`;
      done = endOfValue(text, value);
      at = done - 1;
    } else at = end - 1;
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
