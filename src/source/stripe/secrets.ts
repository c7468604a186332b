import { textWithout } from "../secrets.ts";

/**
 * Members of a session that let anyone continue the person's check. While a session waits for input, Stripe makes them
 * again for each answer.
 */
const SECRET = new Set(["url", "client_secret"]);

/** The session without its secrets. */
export function withoutSecrets(session: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).map(([name, value]) => [name, SECRET.has(name) ? null : value]));
}

/** The text of a session without its secrets. Metadata may have members of the same name. */
export function textWithoutSecrets(text: string): string {
  return textWithout(text, (path) => path.length === 1 && SECRET.has(path[0]!));
}
