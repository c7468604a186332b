import "../io/exact-json.ts";

interface Rules {
  /** Another text in its place. */
  readonly text: (text: string) => string;
  /** Members that are left out. */
  readonly omits?: (key: string) => boolean;
}

/**
 * An answer with its members and the elements of its arrays sorted, where their order means nothing. Equal if nothing
 * but the order differs.
 */
export function ordered(value: unknown, rules: Rules): unknown {
  return sorted(value, rules).value;
}

/** The text is canonical, so that elements can be sorted by it. */
function sorted(value: unknown, rules: Rules): { readonly value: unknown; readonly text: string } {
  if (typeof value === "string") {
    const text = rules.text(value);
    return { value: text, text: JSON.stringify(text) };
  }
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value))
    return { value, text: JSON.stringify(value) ?? "null" };
  if (Array.isArray(value)) {
    const parts = value
      .map((part) => sorted(part, rules))
      .sort((one, other) => (one.text < other.text ? -1 : Number(one.text > other.text)));
    return { value: parts.map((part) => part.value), text: `[${parts.map((part) => part.text).join()}]` };
  }
  const members = value as Record<string, unknown>;
  const parts = Object.keys(members)
    .filter((key) => !rules.omits?.(key))
    .sort()
    .map((key) => ({ key, ...sorted(members[key], rules) }));
  return {
    value: Object.fromEntries(parts.map((part) => [part.key, part.value])),
    text: `{${parts.map(({ key, text }) => `${JSON.stringify(key)}:${text}`).join()}}`,
  };
}
