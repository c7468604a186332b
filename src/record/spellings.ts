import { domainToASCII, domainToUnicode } from "node:url";

/**
 * A lookup is a keyed hash and has no near misses: a value pasted with an invisible character matches no one, and the
 * answer to a supervisor would be "no one". So a value is also stored, and searched, in its plain spelling.
 * docs/FORMAT.md, section 4, defines which spellings are equal.
 */

/** Invisible in print: zero-width and formatting characters, the soft hyphen, control characters. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\uFFFC]|(?!\s)\p{Cc}/gu;
const DASH = /[\p{Dash}\u02D7\u2043]/gu;
/** Replacements by word processors for ', " and /. */
const SINGLE_QUOTE = /[\u2018-\u201B\u2032\u02BC]/gu;
const DOUBLE_QUOTE = /[\u201C-\u201F\u2033]/gu;
const SLASH = /[\u2044\u2215]/gu;
/** Printable ASCII with single blanks, as most values are: it is its own plain form. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
/** A domain that has one form only. */
const PLAIN_DOMAIN = /^(?!.*xn--)(?:[a-z0-9-]+\.)+[a-z][a-z-]*$/;
/** Letters of other scripts that look like Latin ones. */
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
/** How Excel writes long numbers: 1,23E+12. */
const SCIENTIFIC = /^[+-]?\d+([.,]\d+)?E[+-]\d+$/i;

/** The plain spelling of a value; empty if nothing is left. */
export function plainSpelling(name: string, value: string): string {
  const plain = plainText(value);
  if (name === "email") return plainAddress(plain);
  if (name === "document.number") return plain.toUpperCase().replace(/[\s./<-]/g, "");
  return plain;
}

/**
 * The spellings to search for. Records of earlier versions have a token only for the value as the provider gave it, not
 * for its plain spelling, so there are several.
 * @param name `email`, `document.number` or `metadata.<name>`
 */
export function spellings(name: string, value: string): string[] {
  // In text copied from a PDF, a soft hyphen may be a number's hyphen.
  const plain = [value, value.replaceAll("\u00AD", "-")].map((text) => plainSpelling(name, text));
  const domains = name === "email" ? plain.map((text) => withDomain(text, domainToUnicode)) : [];
  const all = [value, value.replace(INVISIBLE, ""), ...plain, ...domains];
  return [...new Set(all)].filter((text) => text.trim() !== "");
}

/** The spellings of a provider's id, the likeliest first. A UUID means the same in upper case, and in braces. */
export function idSpellings(id: string): string[] {
  const plain = plainText(id);
  const [, uuid] = /^\{?([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\}?$/i.exec(plain) ?? [];
  return [...new Set([id, plain, ...(uuid === undefined ? [] : [uuid.toLowerCase()])])];
}

/** Free text: NFKC compatibility forms, nothing invisible, ASCII digits, hyphens, quotes and single blanks. */
export function plainText(value: string): string {
  if (PLAIN.test(value)) return value;
  return value
    .normalize("NFKD")
    .replace(INVISIBLE, "")
    .replace(DASH, "-")
    .replace(SINGLE_QUOTE, "'")
    .replace(DOUBLE_QUOTE, '"')
    .replace(SLASH, "/")
    .replace(/[^\P{Nd}0-9]/gu, digit)
    .replace(/\s+/g, " ")
    .normalize("NFKC")
    .trim();
}

export function isScientific(value: string): boolean {
  return SCIENTIFIC.test(plainText(value));
}

/**
 * What is unusual about a value's spelling, to explain why it matches no one. Never contains the value, or any letter
 * or digit of it.
 */
export function unusualSpelling(value: string): string[] {
  const characters = [...new Set(value)].filter((character) => `x${character}x` !== plainText(`x${character}x`));
  const isUnseen = (character: string): boolean => character.replace(INVISIBLE, "") === "";
  const invisible = characters.filter(isUnseen).map(codePoint);
  const others = characters.filter((each) => !isUnseen(each) && /[^\p{L}\p{M}\p{N} -~]/u.test(each)).map(codePoint);
  return [
    ...(invisible.length > 0 ? [`invisible characters (${some(invisible)})`] : []),
    ...(others.length > 0 ? [`unusual blanks, hyphens or signs (${some(others)})`] : []),
    ...(characters.some((each) => !isUnseen(each) && isFormOfLetter(each))
      ? ["letters or digits in an unusual form, such as full-width"]
      : []),
    ...(/\p{Script=Latin}/u.test(value) && LOOKALIKE.test(value) ? ["letters of more than one alphabet"] : []),
    ...(isScientific(value) ? ["a number that a spreadsheet shortened (as in 1.2E+12)"] : []),
  ];
}

function plainAddress(text: string): string {
  const inBrackets = [...text.matchAll(/[<([]([^<>()[\]]*@[^<>()[\]]*)[>)\]]/g)].map(([, inside]) => inside!);
  // Several addresses match none: a search for only some of them would give a wrong answer.
  const one = inBrackets.length === 1 ? inBrackets[0]! : text;
  const address = withoutScheme(one)
    .replace(/^["'<(\s]+|["'>),;.\s]+$/g, "")
    .replace(/\s*([@.\-_])\s*/g, "$1");
  return withDomain(address.toLowerCase(), (domain) => domainToASCII(plainText(domainToUnicode(domain))));
}

/** `mailto:ann%40example.org?subject=…` */
function withoutScheme(text: string): string {
  const [, rest] = /^["'<(\s]*mailto:([^?]*)/i.exec(text) ?? [];
  if (rest === undefined) return text;
  try {
    return plainText(decodeURIComponent(rest));
  } catch {
    return rest;
  }
}

/**
 * The address with its domain in another form, if it is a domain: Node's parser also accepts a URL or an IPv4 address.
 */
function withDomain(address: string, convert: (domain: string) => string): string {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  if (PLAIN_DOMAIN.test(domain)) return address;
  if (at < 0 || !/^[\p{L}\p{M}\p{N}._\u3002-]+$/u.test(domain)) return address;
  const converted = convert(domain);
  return /\p{L}/u.test(converted) ? address.slice(0, at + 1) + converted : address;
}

/** In every script, the decimal digits are ten consecutive code points. */
function digit(character: string): string {
  const point = character.codePointAt(0)!;
  let before = point;
  while (/\p{Nd}/u.test(String.fromCodePoint(before - 1))) before--;
  return String((point - before) % 10);
}

function isFormOfLetter(character: string): boolean {
  return /[\p{L}\p{M}\p{N}]/u.test(character) && character.normalize("NFC") !== plainText(character);
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

function some(points: readonly string[]): string {
  return points.slice(0, 8).join(", ") + (points.length > 8 ? " …" : "");
}
