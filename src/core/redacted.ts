import { printableJson } from "./printable.ts";

/** Longer values are cut. The line number is enough to find them. */
const MAX_LENGTH = 80;

/** Patterns of keys, tokens and passwords pasted in the wrong place. */
const SECRET = [
  /AGE-SECRET-KEY|AGE-PLUGIN-/i,
  /PRIVATE[ +_-]KEY/i,
  /\bA[KS]IA[A-Z0-9]{12,}/,
  /\b[sp]k_[A-Za-z0-9]/,
  /\beyJ[A-Za-z0-9_-]{8,}/,
  // user:password@host
  /\/\/[^/\s]*@/,
  // A long unbroken run with a digit: hex, base64. Also hides public recipients, which are not secret.
  /(?=[A-Za-z0-9_+=-]*[0-9])[A-Za-z0-9_+=-]{28,}/,
];

/** No one writes that much in one field, and the patterns must not run over a megabyte. */
const MAX_CHECKED = 1_000;

export function looksSecret(text: string): boolean {
  return text.length > MAX_CHECKED || SECRET.some((pattern) => pattern.test(text));
}

/** A config value in a form that an error may print: short, on one line, and never a possible secret. */
export function redacted(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a section";
  if (typeof value !== "string") return String(value);
  if (looksSecret(value)) return "this (not shown: it may be a secret)";
  const cut = value.length > MAX_LENGTH ? `${value.slice(0, MAX_LENGTH)}…` : value;
  return printableJson(JSON.stringify(cut));
}
