/** A verification report: the outcome of one attempt. */
import { Random } from "../random.ts";
import { checksOf, documentOf, idNumberOf, phoneOf } from "./checks.ts";
import { course, personOf } from "./course.ts";
import type { Tree } from "./expand.ts";
import { stripeId } from "./id.ts";
import { frontOf, selfieOf, slotsOf } from "./slot.ts";
import { day, REDACTED, type Report } from "./wire.ts";
import type { World } from "./world.ts";

const TYPE = { PASSPORT: "passport", NATIONAL_ID_CARD: "id_card", DRIVERS_LICENSE: "driving_license" } as const;

export interface Showing {
  readonly world: World;
  readonly live: boolean;
  /** Which sensitive members to show: those that are expanded and that the key sees. */
  readonly sensitive: Tree;
}

export function makeReport({ world, live, sensitive }: Showing, index: number, attempt: number): Report | undefined {
  const { status, attempts } = course(world, index);
  const created = attempts[attempt];
  if (!world.has(index) || created === undefined) return undefined;
  const gone = world.redaction(index) === "redacted";
  const text = <T extends string | null>(value: T) => (gone && value !== null ? REDACTED : value);
  const person = personOf(world, index);
  const document = documentOf(world, index, attempt);
  const checks = checksOf(world, index);
  const good = status === "verified" && attempt === attempts.length - 1;
  const outcome = good ? "verified" : "unverified";
  const blamed = good || !checks.selfie || new Random(world.seed, 333, index, attempt).chance(50);
  const sex = { male: "male", female: "female", unspecified: "unknown" } as const;
  const files = slotsOf(world, index, attempt).map((slot) => stripeId(world.seed, "file", index, slot));
  const file = (slot: number) => (gone ? null : stripeId(world.seed, "file", index, slot));
  const shown = (part: string, values: object) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => sensitive.get(part)?.has(name)));
  return {
    id: stripeId(world.seed, "vr", index, attempt),
    object: "identity.verification_report",
    client_reference_id: person.customer,
    created,
    livemode: live,
    options: {
      document: { require_matching_selfie: checks.selfie, ...(checks.idNumber ? { require_id_number: true } : {}) },
    },
    type: "document",
    verification_session: stripeId(world.seed, "vs", index),
    document: {
      address:
        document.type === "DRIVERS_LICENSE"
          ? {
              city: text(person.city),
              country: person.state.code,
              line1: text(person.address),
              line2: null,
              postal_code: null,
              state: null,
            }
          : null,
      error: good || !blamed ? null : { code: "document_expired", reason: "The document is expired." },
      files,
      first_name: text(person.printedGiven),
      issued_date: day(document.issued, gone),
      issuing_country: person.state.code,
      last_name: text(person.printedFamily),
      status: good || !blamed ? "verified" : "unverified",
      type: TYPE[document.type],
      ...shown("document", {
        dob: day(person.birth, gone),
        expiration_date: day(document.expiry, gone),
        number: text(document.number),
        sex: gone ? REDACTED : sex[person.sex],
        unparsed_place_of_birth: text(person.birthplace),
        unparsed_sex: text({ male: "M", female: "F", unspecified: "X" }[person.sex]),
      }),
    },
    ...(checks.selfie
      ? {
          selfie: {
            document: file(frontOf(attempt)),
            error: blamed ? null : { code: "selfie_face_mismatch", reason: "The selfie and the document differ." },
            selfie: file(selfieOf(attempt)),
            status: blamed ? "verified" : "unverified",
          },
        }
      : {}),
    ...(checks.idNumber
      ? {
          id_number: {
            error: null,
            first_name: text(person.given),
            id_number_type: "us_ssn",
            last_name: text(person.family),
            status: outcome,
            ...shown("id_number", { dob: day(person.birth, gone), id_number: text(idNumberOf(world, index)) }),
          },
        }
      : {}),
    ...(checks.email ? { email: { email: text(person.email), error: null, status: outcome } } : {}),
    ...(checks.phone ? { phone: { error: null, phone: text(phoneOf(world, index)), status: outcome } } : {}),
  };
}
