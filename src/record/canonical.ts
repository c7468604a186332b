import "../io/exact-json.ts";

/**
 * One text for equal JSON: keys sorted by code unit, no white space, numbers as ECMAScript writes them, or as the
 * provider wrote them where ECMAScript would round. Two answers that differ only in the order of their keys are the
 * same version of an identity. `value` comes from `parseExact`, so that numbers too long for JavaScript are compared,
 * not rounded.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (JSON.isRawJSON(value)) return value.rawJSON;
  // Appends to one string: joining a list per object took 50 % longer, and each night does this for every identity.
  let text = "";
  if (Array.isArray(value)) {
    for (const element of value) text += `${text && ","}${canonicalJson(element)}`;
    return `[${text}]`;
  }
  for (const key of sorted(Object.keys(value))) {
    text += `${text && ","}${quoted(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`;
  }
  return `{${text}}`;
}

/** By code unit, in place. For the few keys that most objects have, sort() takes twice as long and leaves garbage. */
function sorted(keys: string[]): string[] {
  if (keys.length > 30) return keys.sort();
  for (let at = 1; at < keys.length; at++) {
    const key = keys[at]!;
    let to = at;
    for (; to > 0 && keys[to - 1]! > key; to--) keys[to] = keys[to - 1]!;
    keys[to] = key;
  }
  return keys;
}

/** What JSON escapes: quotes, backslashes, control characters, and halves of surrogate pairs. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;

/** As JSON.stringify, which takes several times as long for a short text. */
function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
