import type { Identity } from "../core/identity.ts";
import { scalarText } from "../io/exact-json.ts";

/** Names vary by document type (`date_of_birth`, `DATE_OF_BIRTH`, `dateOfBirth`), so only letters are compared. */
const DATE_OF_BIRTH = new Set(["dateofbirth", "birthdate", "dob"]);
const DOCUMENT_NUMBER = new Set([
  "documentnumber",
  "passportnumber",
  "idnumber",
  "identificationnumber",
  "licensenumber",
  "licencenumber",
]);

export function datesOfBirth(identity: Identity): Temporal.PlainDate[] {
  return values(identity, DATE_OF_BIRTH).flatMap((value) => parseDate(value) ?? []);
}

export function documentNumbers(identity: Identity): string[] {
  return values(identity, DOCUMENT_NUMBER);
}

function values(identity: Identity, names: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  for (const { datapoints } of identity.documents) {
    for (const [key, value] of Object.entries(datapoints)) {
      const plain = plainValue(value);
      if (plain !== null && names.has(key.replace(/[^a-z]/gi, "").toLowerCase())) found.add(plain);
    }
  }
  return [...found];
}

/** A data point is a value, or an object with a member `value`. */
function plainValue(value: unknown): string | null {
  if (typeof value === "object" && value !== null && "value" in value) return plainValue(value.value);
  return scalarText(value)?.trim() || null;
}

/**
 * Only unambiguous dates: 1990-05-31, 1990/05/31, 19900531 and 31.05.1990; never 05/06/1990. A time of day other than
 * midnight is refused: 1990-05-30T22:00:00Z is the 31st in the person's time zone.
 */
function parseDate(text: string): Temporal.PlainDate | null {
  const [, y, m, d] =
    /^(\d{4})[-/](\d{2})[-/](\d{2})(?:T00:00(?::00(?:\.0+)?)?Z?)?$/.exec(text) ??
    /^(\d{4})(\d{2})(\d{2})$/.exec(text) ??
    reversed(text) ??
    [];
  if (y === undefined) return null;
  try {
    return Temporal.PlainDate.from({ year: Number(y), month: Number(m), day: Number(d) }, { overflow: "reject" });
  } catch {
    return null;
  }
}

function reversed(text: string): string[] | null {
  const match = /^(\d{2})\.(\d{2})\.(\d{4})$/.exec(text);
  return match && [match[0], match[3]!, match[2]!, match[1]!];
}
