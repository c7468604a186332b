/** A verification session. */
import { Random } from "../random.ts";
import { checksOf, idNumberOf, phoneOf } from "./checks.ts";
import { course, personOf } from "./course.ts";
import type { Tree } from "./expand.ts";
import { stripeId } from "./id.ts";
import { makeReport, type Showing } from "./report.ts";
import { secretMark } from "./secret.ts";
import { day, REDACTED, type Session } from "./wire.ts";

export interface Told extends Showing {
  readonly expanded: Tree;
  /** Tells one answer from the next: `url` and `client_secret` are fresh in each. */
  readonly answer: number;
}

const NOTHING: Tree = new Map();

function startOf({ world, live, answer }: Told, index: number): Pick<Session, "client_secret" | "url"> {
  if (course(world, index).status !== "requires_input" || world.redaction(index) !== undefined)
    return { client_secret: null, url: null };
  const fresh = new Random(world.seed, 320, index, answer).string("abcdefghijkmnpqrstuvwxyz23456789", 24);
  const mark = secretMark(world.seed);
  return {
    client_secret: `${stripeId(world.seed, "vs", index)}_secret_${mark}${fresh}`,
    url: `https://verify.stripe.com/start/${live ? "live" : "test"}_${mark}${fresh}`,
  };
}

function outputsOf({ world, sensitive }: Told, index: number): NonNullable<Session["verified_outputs"]> {
  const gone = world.redaction(index) === "redacted";
  const person = personOf(world, index);
  const checks = checksOf(world, index);
  const text = (value: string) => (gone ? REDACTED : value);
  const below = sensitive.get("verified_outputs") ?? NOTHING;
  const sensible = {
    dob: day(person.birth, gone),
    id_number: checks.idNumber ? text(idNumberOf(world, index)) : null,
    sex: gone ? REDACTED : { male: "male", female: "female", unspecified: "unknown" }[person.sex],
    unparsed_place_of_birth: text(person.birthplace),
    unparsed_sex: text({ male: "M", female: "F", unspecified: "X" }[person.sex]),
  };
  return {
    address: {
      city: text(person.city),
      country: person.state.code,
      line1: text(person.address),
      line2: null,
      postal_code: null,
      state: null,
    },
    email: checks.email ? text(person.email) : null,
    first_name: text(person.given),
    id_number_type: checks.idNumber ? "us_ssn" : null,
    last_name: text(person.family),
    phone: checks.phone ? text(phoneOf(world, index)) : null,
    ...Object.fromEntries(Object.entries(sensible).filter(([name]) => below.has(name))),
  };
}

export function makeSession(told: Told, index: number): Session | undefined {
  const { world, live, expanded } = told;
  if (!world.has(index)) return undefined;
  const { status, created, attempts } = course(world, index);
  const stage = world.redaction(index);
  const gone = stage === "redacted";
  const person = personOf(world, index);
  const checks = checksOf(world, index);
  const random = new Random(world.seed, 321, index);
  const edits = world.fate(index).metadata;
  const last = attempts.length - 1;
  const below = told.sensitive.get("last_verification_report") ?? NOTHING;
  const report = makeReport({ ...told, sensitive: below }, index, last);
  const reference = random.chance(85);
  const failed = status === "requires_input" && report;
  return {
    id: stripeId(world.seed, "vs", index),
    object: "identity.verification_session",
    client_reference_id: reference ? person.customer : null,
    created,
    last_error: failed
      ? { code: failed.document?.error?.code ?? failed.selfie?.error?.code ?? "abandoned", reason: "It failed." }
      : null,
    last_verification_report: report ? (expanded.has("last_verification_report") ? report : report.id) : null,
    livemode: live,
    metadata: gone
      ? {}
      : {
          ...(reference ? {} : { customer_id: person.customer }),
          branch: `${random.integer(1, 9)}${" (corrected)".repeat(edits)}`,
        },
    options: { document: { require_matching_selfie: checks.selfie } },
    provided_details: random.chance(60) ? { email: gone ? REDACTED : person.email } : null,
    redaction: stage === undefined ? null : { status: stage },
    related_customer: null,
    related_customer_account: null,
    status,
    type: "document",
    ...startOf(told, index),
    ...(expanded.has("verified_outputs")
      ? { verified_outputs: status === "verified" ? outputsOf(told, index) : null }
      : {}),
  };
}
