/** Veriff's answers about a session. What is not known is null; what an integration does not have is absent. */
import { Random } from "../random.ts";
import { CODES, course, micros, millis, personOf } from "./course.ts";
import { veriffId } from "./id.ts";
import { kindOf, type Medium, type Shelf } from "./shelf.ts";
import type { Registry, World } from "./world.ts";

export type Wire = Readonly<Record<string, unknown>>;

const TYPES = { PASSPORT: "PASSPORT", NATIONAL_ID_CARD: "ID_CARD", DRIVERS_LICENSE: "DRIVERS_LICENSE" } as const;
const GENDERS = { male: "M", female: "F", unspecified: null } as const;

/** Whether the person has shown anything that could be read. */
const isRead = (world: World, index: number): boolean =>
  course(world, index).attempts.at(-1)?.captured === true && CODES[course(world, index).status] !== undefined;

export const hasDecision = (world: World, index: number): boolean => CODES[course(world, index).status] !== undefined;

export function makeDecision(world: World, index: number): Wire {
  const { ip } = personOf(world, index);
  const technicalData = { ip: course(world, index).attempts.length > 0 ? ip : null };
  return { status: "success", verification: verificationOf(world, index), technicalData };
}

function verificationOf(world: World, index: number): Wire | null {
  const { status, created, submitted, decided, attempts } = course(world, index);
  if (CODES[status] === undefined) return null;
  const declined = status === "declined";
  const random = new Random(world.seed, 420, index);
  return {
    id: veriffId(world.seed, "session", index),
    attemptId: veriffId(world.seed, "attempt", index, attempts.length - 1),
    ...{
      status,
      code: CODES[status],
      reason: declined ? "Document is damaged" : null,
      reasonCode: declined ? 102 : null,
    },
    ...{ acceptanceTime: micros(created), submissionTime: micros(submitted), decisionTime: micros(decided) },
    ...{ vendorData: personOf(world, index).customer, endUserId: veriffId(world.seed, "endUser", index) },
    ...{ person: readPerson(world, index), document: readDocument(world, index) },
    ...{ comments: [], additionalVerifiedData: {}, riskScore: { score: random.integer(0, 100) / 100 } },
  };
}

function readPerson(world: World, index: number): Wire {
  const person = personOf(world, index);
  const read = isRead(world, index);
  const told = <T>(value: T): T | null => (read ? value : null);
  return {
    ...{
      firstName: told(person.given),
      lastName: told(person.family),
      idNumber: null,
      gender: told(GENDERS[person.sex]),
    },
    ...{ citizenship: null, dateOfBirth: told(person.birth), yearOfBirth: told(person.birth.slice(0, 4)) },
    ...{ placeOfBirth: told(person.birthplace), nationality: told(person.state.code) },
    ...{ addresses: read ? [{ fullAddress: `${person.address}, ${person.city}` }] : [], pepSanctionMatch: null },
  };
}

/** A decision has one document: the one that was shown in the last attempt. */
function readDocument(world: World, index: number): Wire {
  const { documents, state } = personOf(world, index);
  const [document] = documents;
  const read = isRead(world, index);
  const told = <T>(value: T): T | null => (read ? value : null);
  return {
    ...{ number: told(document!.number), type: told(TYPES[document!.type]), state: null },
    ...{ country: told(world.isMexican(index) ? "MX" : state.code) },
    ...{ validFrom: told(document!.issued), validUntil: told(document!.expiry), issuedBy: told(state.authority) },
    ...{ firstIssue: null, nfcValidated: false },
  };
}

/** @param answer some attempts come twice, and not in each answer the same ones */
export function makeAttempts(world: World, index: number, answer = 0): Wire {
  const { attempts } = course(world, index);
  const { userStatus } = world.fate(index);
  const verifications = attempts.map(({ status, created }, at) => ({
    id: veriffId(world.seed, "attempt", index, at),
    status,
    ...(at === attempts.length - 1 && userStatus.length > 0
      ? { userDefinedData: userStatus.map((time, n) => userDefined(time, n)) }
      : {}),
    // Earlier attempts may lack it.
    ...(at === attempts.length - 1 || index % 2 === 0 ? { createdTime: millis(created) } : {}),
  }));
  const again = verifications.slice(0, answer % 3);
  return { status: "success", verifications: [...verifications.toReversed(), ...again] };
}

const userDefined = (time: number, n: number): Wire => ({
  ...{ status: n % 2 === 0 ? "approved" : "declined", statusCode: n % 2 === 0 ? 9001 : 9102 },
  ...{ reason: "Reviewed by hand", reasonCode: 7, createdAt: millis(time) },
});

/** Of one attempt. Their order is by quality, as Veriff judges it at the time. */
export function makeMedia(shelf: Shelf, media: readonly Medium[], base: string, answer = 0): Wire {
  const turned = media.map((_, at) => media[(at + answer) % media.length]!);
  const of = (kind: ReturnType<typeof kindOf>) =>
    turned.filter((medium) => kindOf(medium) === kind).map((medium) => shelf.describe(medium, base));
  const nfc = of("nfcDocuments");
  return {
    ...{ status: "success", images: of("images"), videos: of("videos") },
    ...(nfc.length > 0 ? { nfcDocuments: nfc } : {}),
  };
}

/** What was read, or given when the session was made. */
export function makePerson(world: World, index: number): Wire {
  const { given, family } = personOf(world, index);
  const { pepSanctionMatch: _, addresses: __, ...read } = readPerson(world, index);
  const isGiven = new Random(world.seed, 421, index).chance(50);
  const initial = isGiven ? { firstName: given, lastName: family } : {};
  return { status: "success", person: { ...read, ...initial, pepSanctionMatches: [] } };
}

export function makeWatchlist(world: World, index: number): Wire {
  const { decided, attempts } = course(world, index);
  const { given, family, birth, customer } = personOf(world, index);
  const { watchlist } = world.fate(index);
  const hit = {
    ...{ matchedName: `${given} ${family}`, countries: [], dateOfBirth: null, dateOfDeath: null },
    ...{ matchTypes: ["name_fuzzy"], aka: [], associates: [], listingsRelatedToMatch: {} },
  };
  const hits = watchlist.map((_, n) => ({ ...hit, matchTypes: n % 2 === 0 ? ["name_fuzzy"] : ["name_exact"] }));
  return {
    status: "success",
    data: {
      attemptId: veriffId(world.seed, "attempt", index, attempts.length - 1),
      sessionId: veriffId(world.seed, "session", index),
      vendorData: customer,
      checkType: watchlist.length > 0 ? "updated_result" : "initial_result",
      matchStatus: hits.length > 0 ? "possible_match" : "no_match",
      monitorStatus: "enabled",
      searchTerm: { name: `${given} ${family}`, year: birth.slice(0, 4) },
      totalHits: hits.length,
      createdAt: millis(watchlist.at(-1) ?? decided + 2_000),
      hits,
    },
  };
}

export const hasRegistry = (world: World, index: number): boolean =>
  world.isMexican(index) && hasDecision(world, index) && isRead(world, index);

/** Veriff's documentation names members, and shows no whole answer: the shape around them is invented. */
export function makeRegistry(world: World, index: number, registry: Registry): Wire {
  const { given, family, documents, birth } = personOf(world, index);
  const curp = { statusCurp: "AN", curp: documents[0]!.number, names: given, lastName: family, birthDate: birth };
  const ine = { active: true, voterKey: documents[0]!.number, federalDistrict: index % 300, ocr: String(index) };
  const data = { "ine-registry": ine, "curp-registry": curp, "combined-ine-curp-registry": { ine, curp } }[registry];
  return { status: "success", sessionId: veriffId(world.seed, "session", index), data };
}
