import { ordered } from "../ordered.ts";

/**
 * An answer as it is compared: file URLs without their token, which is made again for each answer, and arrays sorted,
 * since Persona reorders them at any time. Equal content means that nothing changed.
 */
export function comparable(value: unknown): unknown {
  return ordered(value, { text: withoutToken });
}

export const TOKEN = "access_token";

function withoutToken(text: string): string {
  const url = text.includes(TOKEN) ? URL.parse(text) : null;
  if (!url?.searchParams.has(TOKEN)) return text;
  url.searchParams.delete(TOKEN);
  return url.href;
}
