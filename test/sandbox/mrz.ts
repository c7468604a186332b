/** Machine-readable zones by ICAO Doc 9303: TD3 for passports (part 4), TD1 for cards (part 5). */

export interface MrzFields {
  /** Document code, `P` or `I`. */
  readonly code: string;
  /** Three letters; UTO is the one ICAO keeps for specimens. */
  readonly issuer: string;
  readonly nationality: string;
  readonly family: string;
  readonly given: string;
  readonly number: string;
  /** `YYYY-MM-DD` */
  readonly birth: string;
  readonly expiry: string;
  readonly sex: "M" | "F" | "X";
}

/** The transliterations of Doc 9303 part 3 section 6 for letters that do not simply lose a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  Ä: "AE",
  Ö: "OE",
  Ü: "UE",
  ß: "SS",
  Å: "AA",
  Æ: "AE",
  Ø: "OE",
  Œ: "OE",
  Þ: "TH",
  Ð: "D",
  Đ: "D",
  Ł: "L",
  İ: "I",
  ı: "I",
};

const known = new Map<string, string>(); // a few hundred names come again and again

/** A name as A-Z and fillers: apostrophes are removed, hyphens and blanks become `<`. */
export function transliterate(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  let out = "";
  for (const letter of name.normalize("NFC")) {
    const upper = letter === "ß" ? "ß" : letter.toUpperCase();
    out += LETTERS[upper] ?? upper.normalize("NFD").replace(/\p{M}/gu, "");
  }
  const result = out.replace(/['’.]/g, "").replace(/[^A-Z0-9]+/g, "<");
  known.set(name, result);
  return result;
}

function value(character: string): number {
  if (character === "<") return 0;
  const code = character.charCodeAt(0);
  return code <= 57 ? code - 48 : code - 55;
}

/** Weights 7, 3, 1 repeating, modulo 10; A is 10, Z is 35, the filler 0. */
export function checkDigit(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += value(text[i]!) * [7, 3, 1][i % 3]!;
  return String(sum % 10);
}

const fill = (text: string, length: number) => text.slice(0, length).padEnd(length, "<");
const checked = (text: string) => text + checkDigit(text);
const date = (iso: string) => iso.slice(2).replaceAll("-", "");
const sexMark = (sex: MrzFields["sex"]) => (sex === "X" ? "<" : sex);

/** Surname `<<` given names; a surname that is too long is cut so that part of the given names remains. */
function names(fields: MrzFields, length: number): string {
  const family = transliterate(fields.family).slice(0, length - 4);
  return fill(`${family}<<${transliterate(fields.given)}`, length);
}

/** Two lines of 44. */
export function td3(fields: MrzFields): [string, string] {
  const number = checked(fill(fields.number, 9));
  const birth = checked(date(fields.birth));
  const expiry = checked(date(fields.expiry));
  const personal = fill("", 14); // an empty personal number may have a filler for its check digit; we print 0
  const composite = checkDigit(`${number}${birth}${expiry}${personal}0`);
  return [
    fill(fields.code, 2) + fields.issuer + names(fields, 39),
    `${number}${fields.nationality}${birth}${sexMark(fields.sex)}${expiry}${personal}0${composite}`,
  ];
}

/** Three lines of 30. */
export function td1(fields: MrzFields): [string, string, string] {
  const upper = fill(fields.code, 2) + fields.issuer + checked(fill(fields.number, 9)) + fill("", 15);
  const birth = checked(date(fields.birth));
  const expiry = checked(date(fields.expiry));
  const optional = fill("", 11);
  const composite = checkDigit(`${upper.slice(5)}${birth}${expiry}${optional}`);
  return [
    upper,
    `${birth}${sexMark(fields.sex)}${expiry}${fields.nationality}${optional}${composite}`,
    names(fields, 30),
  ];
}
