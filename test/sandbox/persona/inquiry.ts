/** An inquiry, as `GET /inquiries/{id}` and the lists show it. */
import type { Person } from "../person.ts";
import { Random } from "../random.ts";
import { type Course, course, personOf, time } from "./course.ts";
import { personaId } from "./id.ts";
import { reportsOf } from "./report.ts";
import { ATTACHED } from "./slot.ts";
import type { Telling } from "./telling.ts";
import { absent, one, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

/** The place of the selfie's verification; documents' are 0 and 1. */
export const SELFIE = 8;
const MINUTE = 60_000;

export interface Traits {
  /** Some inquiries have no reference, some a note with personal data, some a picture in a field. */
  readonly referenced: boolean;
  readonly noted: boolean;
  readonly pictured: boolean;
  readonly sessions: number;
  readonly cased: boolean;
  readonly tags: readonly string[];
}

export function traits(world: World, index: number): Traits {
  const random = new Random(world.seed, 230, index);
  const { status } = course(world, index);
  return {
    referenced: !random.chance(6),
    noted: random.chance(12),
    pictured: random.chance(10),
    sessions: random.chance(15) ? 2 : 1,
    cased: random.chance(5) || status === "needs_review" || status === "declined",
    tags: ["retail", "manual", "branch 7"].filter(() => random.chance(40)),
  };
}

function fields(person: Person, fate: Course["fate"], index: number, telling: Telling, pictured: boolean): unknown {
  const gone = fate.redacted !== undefined;
  const text = (value: string | null, type = "string") => ({ type, value: gone ? null : value });
  return {
    "name-first": text(person.given),
    "name-middle": text(null),
    "name-last": text(person.family),
    "address-street-1": text(person.address),
    "address-street-2": text(null),
    // What a reviewer corrects: the same town, spelt more fully each time.
    "address-city": text(person.city + " (corrected)".repeat(fate.field)),
    "address-subdivision": text(null),
    "address-postal-code": text(null),
    "address-country-code": text(person.state.code),
    birthdate: text(person.birth, "date"),
    "email-address": text(person.email),
    "phone-number": text(null),
    "identification-number": text(person.documents[0]!.number),
    ...(pictured ? { "branch-photo": { type: "file", value: gone ? null : branchPhoto(index, telling) } } : {}),
  };
}

const branchPhoto = (index: number, telling: Telling) => ({
  ...telling.file({ index, slot: ATTACHED }),
  "mime-type": "image/png",
  "page-count": 1,
});

export function makeInquiry(world: World, telling: Telling, index: number): Wire {
  const state = course(world, index);
  const { status, created, updated, captured, fate, base } = state;
  const person = personOf(world, index);
  const has = traits(world, index);
  const random = new Random(world.seed, 231, index);
  const gone = fate.redacted !== undefined;
  const decided = status === "approved" || status === "declined";
  const finished = captured === undefined ? undefined : captured + MINUTE;
  const id = (kind: string, at = 0) => personaId(world.seed, kind, index, at);
  const listed = (items: readonly { type: string; id: string }[]) => ({ data: telling.shuffle(items) });
  const documents = captured === undefined ? [] : person.documents.map((_, at) => id("doc", at));
  const verifications = documents.map((_, at) => ({ type: "verification/government-id", id: id("ver", at) }));
  if (captured !== undefined) verifications.push({ type: "verification/selfie", id: id("ver", SELFIE) });
  return {
    type: "inquiry",
    id: id("inq"),
    attributes: {
      status,
      "reference-id": has.referenced && world.fate(base).accountRedacted === undefined ? person.customer : null,
      note: has.noted && !gone ? `${person.given} ${person.family} was called back` : null,
      behaviors: { "request-spoof-attempts": random.integer(0, 2), "completion-time": random.integer(40, 400) },
      tags: gone ? [] : telling.shuffle(has.tags),
      creator: "API",
      "reviewer-comment": null,
      "created-at": time(created),
      "updated-at": time(updated),
      "started-at": time(status === "created" ? undefined : created + 10_000),
      "expires-at": time(created + 24 * 60 * MINUTE),
      "completed-at": time(status === "failed" ? undefined : finished),
      "failed-at": time(status === "failed" ? finished : undefined),
      "marked-for-review-at": time(status === "needs_review" ? finished : undefined),
      "decisioned-at": time(decided ? finished! + MINUTE : undefined),
      "expired-at": time(status === "expired" ? created + 24 * 60 * MINUTE : undefined),
      "redacted-at": time(fate.redacted),
      "previous-step-name": null,
      "next-step-name": captured === undefined ? "start" : "success",
      fields: fields(person, fate, index, telling, has.pictured && captured !== undefined),
    },
    relationships: {
      account: one("account", personaId(world.seed, "act", base)),
      template: absent(index),
      "inquiry-template": one("inquiry-template", personaId(world.seed, "itmpl", 0)),
      "inquiry-template-version": one("inquiry-template-version", personaId(world.seed, "itmplv", 0)),
      transaction: absent(index + 1),
      reviewer: absent(index),
      reports: listed(reportsOf(world, index)),
      verifications: listed(verifications),
      sessions: listed(
        Array.from({ length: status === "created" ? 0 : has.sessions }, (_, at) => ({
          type: "inquiry-session",
          id: id("iqse", at),
        })),
      ),
      documents: listed(documents.map((document) => ({ type: "document/government-id", id: document }))),
      selfies: listed(captured === undefined ? [] : [{ type: "selfie/profile-and-center", id: id("self") }]),
    },
  };
}
