/** The person behind an identity: invented from the seed and the index alone, so there is no table of people. */
import { td1, td3, transliterate } from "./mrz.ts";
import { CULTURES, type Culture, type Name } from "./names.ts";
import { Random } from "./random.ts";
import { type IssuingState, STATES } from "./states.ts";

export type DocumentType = "PASSPORT" | "NATIONAL_ID_CARD" | "DRIVERS_LICENSE";

export interface Document {
  readonly type: DocumentType;
  readonly number: string;
  readonly issued: string;
  readonly expiry: string;
  /** Lines of the machine-readable zone; a driving licence has none. */
  readonly mrz: readonly string[];
  /** Vehicle categories of a driving licence. */
  readonly categories: readonly string[];
  readonly pages: number;
}

export interface Person {
  readonly index: number;
  /** As the person writes it, in any script. */
  readonly given: string;
  readonly family: string;
  /** As a document prints it: Latin letters with their marks, upper case. */
  readonly printedGiven: string;
  readonly printedFamily: string;
  readonly sex: "male" | "female" | "unspecified";
  readonly birth: string;
  readonly birthplace: string;
  readonly address: string;
  readonly city: string;
  readonly state: IssuingState;
  readonly language: string;
  readonly email: string;
  readonly customer: string;
  readonly ip: string;
  readonly documents: readonly Document[];
}

const native = (name: Name) => (typeof name === "string" ? name : name[0]);
const latin = (name: Name) => (typeof name === "string" ? name : name[1]);
// `ß` has had a capital letter since 2017, and documents use it; JavaScript's toUpperCase would print SS.
const printed = (name: Name) => latin(name).replaceAll("ß", "ẞ").toUpperCase();
const two = (n: number) => String(n).padStart(2, "0");

function date(random: Random, from: number, to: number): string {
  return `${random.integer(from, to)}-${two(random.integer(1, 12))}-${two(random.integer(1, 28))}`;
}

/** Only addresses that RFC 5737 and RFC 3849 reserve for documentation. */
function documentationAddress(random: Random): string {
  if (random.chance(15))
    return `2001:db8:${random.integer(1, 0xffff).toString(16)}::${random.integer(1, 0xffff).toString(16)}`;
  return `${random.pick(["192.0.2", "198.51.100", "203.0.113"])}.${random.integer(1, 254)}`;
}

const CONSONANTS_AND_DIGITS = "0123456789CFGHJKLMNPRTVWXYZ"; // no vowels: a number must not spell a word

function makeDocument(type: DocumentType, who: Omit<Person, "documents">, random: Random): Document {
  const issuedYear = random.integer(2014, 2020);
  const issued = date(random, issuedYear, issuedYear);
  const expiry = `${issuedYear + 10}${issued.slice(4)}`;
  const prefix = { PASSPORT: "P", NATIONAL_ID_CARD: "L", DRIVERS_LICENSE: "D" }[type];
  const number = prefix + random.string(CONSONANTS_AND_DIGITS, 8);
  const fields = {
    issuer: who.state.code,
    nationality: who.state.code,
    family: who.printedFamily.replaceAll("ẞ", "ß"),
    given: who.printedGiven.replaceAll("ẞ", "ß"),
    number,
    birth: who.birth,
    expiry,
    sex: ({ male: "M", female: "F", unspecified: "X" } as const)[who.sex],
  };
  if (type === "PASSPORT")
    return { type, number, issued, expiry, mrz: td3({ code: "P", ...fields }), categories: [], pages: 1 };
  if (type === "NATIONAL_ID_CARD")
    return { type, number, issued, expiry, mrz: td1({ code: "I", ...fields }), categories: [], pages: 2 };
  const categories = ["AM", "A", "B", "BE", "C"].filter((category) => category === "B" || random.chance(35));
  return { type, number, issued, expiry, mrz: [], categories, pages: 2 };
}

export function makePerson(seed: number, index: number): Person {
  const random = new Random(seed, 10, index);
  const culture: Culture = random.pick(CULTURES);
  const sex = random.weighted([
    ["female", 49],
    ["male", 49],
    ["unspecified", 2],
  ] as const);
  const given = random.pick(sex === "male" ? culture.male : culture.female);
  const family = random.pick(culture.family);
  const mailbox = `${transliterate(latin(given))}.${transliterate(latin(family))}`.replaceAll("<", "").toLowerCase();
  const who = {
    index,
    given: native(given),
    family: native(family),
    printedGiven: printed(given),
    printedFamily: printed(family),
    sex,
    birth: date(random, 1944, 2006),
    birthplace: random.pick(culture.cities),
    address: `${random.pick(culture.streets)} ${random.integer(1, 180)}`,
    city: random.pick(culture.cities),
    state: random.pick(STATES),
    language: culture.language,
    email: `${mailbox}${index}@example.${random.pick(["com", "org", "net"])}`,
    customer: `CUST-${String(index).padStart(7, "0")}-${random.string(CONSONANTS_AND_DIGITS, 4)}`,
    ip: documentationAddress(random),
  };
  const types = random.weighted<readonly DocumentType[]>([
    [["PASSPORT"], 40],
    [["NATIONAL_ID_CARD"], 30],
    [["DRIVERS_LICENSE"], 18],
    [["PASSPORT", "DRIVERS_LICENSE"], 12],
  ]);
  return { ...who, documents: types.map((type) => makeDocument(type, who, random)) };
}
