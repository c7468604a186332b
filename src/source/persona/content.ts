import "../../io/exact-json.ts";

/**
 * An answer as it is compared: file URLs without their token, which is made again for each answer, and arrays sorted,
 * since Persona reorders them at any time. Equal content means that nothing changed.
 */
export function comparable(value: unknown): unknown {
  return ordered(value).value;
}

/** The text is canonical, so that elements can be sorted by it. */
function ordered(value: unknown): { readonly value: unknown; readonly text: string } {
  if (typeof value === "string") {
    const bare = withoutToken(value);
    return { value: bare, text: JSON.stringify(bare) };
  }
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value))
    return { value, text: JSON.stringify(value) ?? "null" };
  if (Array.isArray(value)) {
    const parts = value.map(ordered).sort((one, other) => (one.text < other.text ? -1 : Number(one.text > other.text)));
    return { value: parts.map((part) => part.value), text: `[${parts.map((part) => part.text).join()}]` };
  }
  const members = value as Record<string, unknown>;
  const parts = Object.keys(members)
    .sort()
    .map((key) => ({ key, ...ordered(members[key]) }));
  return {
    value: Object.fromEntries(parts.map((part) => [part.key, part.value])),
    text: `{${parts.map(({ key, text }) => `${JSON.stringify(key)}:${text}`).join()}}`,
  };
}

export const TOKEN = "access_token";

function withoutToken(text: string): string {
  const url = text.includes(TOKEN) ? URL.parse(text) : null;
  if (!url?.searchParams.has(TOKEN)) return text;
  url.searchParams.delete(TOKEN);
  return url.href;
}
