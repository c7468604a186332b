/** The verifications of an inquiry, one for each document and one for the selfie, and the selfie object. */
import { Random } from "../random.ts";
import { course, personOf, seconds, time } from "./course.ts";
import { extracted, origin } from "./document.ts";
import { personaId } from "./id.ts";
import { SELFIE } from "./inquiry.ts";
import { CENTER, LEFT, page, RIGHT, VIDEO } from "./slot.ts";
import type { Telling } from "./telling.ts";
import { absent, one, type Relation, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

function shared(world: World, telling: Telling, index: number, at: number, names: readonly string[]) {
  const { status, captured, processed, fate } = course(world, index);
  const random = new Random(world.seed, 240, index, at);
  const failed = status === "failed" || status === "declined";
  const completed = Math.max(processed, Math.floor((fate.checked ?? 0) / 1000) * 1000);
  const weak = random.integer(0, names.length - 1);
  return {
    status: failed ? "failed" : "passed",
    "created-at": time(captured),
    "created-at-ts": seconds(captured),
    "submitted-at": time(captured! + 2_000),
    "submitted-at-ts": seconds(captured! + 2_000),
    "completed-at": time(completed),
    "completed-at-ts": seconds(completed),
    "redacted-at": time(world.childrenRedacted(index)),
    "country-code": personOf(world, index).state.code,
    tags: [],
    checks: telling.shuffle(
      names.map((name, i) => {
        // A check that ran again fails and passes in turn.
        const fails = i === weak && (failed ? fate.checks % 2 === 0 : fate.checks % 2 === 1);
        const reasons = fails ? ["inconsistent"] : [];
        return { name, status: fails ? "failed" : "passed", reasons, requirement: "required", metadata: {} };
      }),
    ),
  };
}

const related = (world: World, index: number, kind: string): Record<string, Relation> => ({
  ...origin(world, index),
  transaction: absent(index),
  "verification-template": one(`verification-template/${kind}`, personaId(world.seed, "vtmpl", 0)),
  "verification-template-version": one(`verification-template-version/${kind}`, personaId(world.seed, "vtmplv", 0)),
  accounts: { data: [{ type: "account", id: personaId(world.seed, "act", world.base(index)) }] },
});

function governmentId(world: World, telling: Telling, index: number, at: number): Wire | undefined {
  const person = personOf(world, index);
  const document = person.documents[at];
  if (!document) return undefined;
  const redacted = world.childrenRedacted(index) !== undefined;
  const url = (slot: number) => (redacted ? null : telling.url({ index, slot }));
  const pages = Array.from({ length: document.pages }, (_, i) => page(at, i + 1));
  const photos = pages.map((slot, i) => {
    const { filename, url: normalized, "byte-size": size } = telling.file({ index, slot });
    const original = [telling.url({ index, slot })];
    const name = i === 0 ? "front" : "back";
    return {
      page: name,
      url: normalized,
      filename,
      "byte-size": size,
      "normalized-url": normalized,
      "original-urls": original,
    };
  });
  const names = ["id_expired_detection", "id_barcode_detection", "id_portrait_detection", "id_tamper_detection"];
  return {
    type: "verification/government-id",
    id: personaId(world.seed, "ver", index, at),
    attributes: {
      ...shared(world, telling, index, at, names),
      "entity-confidence-score": new Random(world.seed, 241, index, at).integer(500, 1000) / 10,
      "entity-confidence-reasons": ["generic"],
      "front-photo-url": url(pages[0]!),
      "back-photo-url": pages[1] === undefined ? null : url(pages[1]),
      "photo-urls": redacted ? [] : telling.shuffle(photos),
      "selfie-photo": redacted ? null : telling.file({ index, slot: CENTER }),
      "selfie-photo-url": url(CENTER),
      "video-url": null,
      "capture-method": "manual",
      ...extracted(person, document, redacted),
      "from-reusable-persona": false,
    },
    relationships: {
      ...related(world, index, "government-id"),
      document: one("document/government-id", personaId(world.seed, "doc", index, at)),
    },
  };
}

function selfie(world: World, telling: Telling, index: number): Wire {
  const redacted = world.childrenRedacted(index) !== undefined;
  const url = (slot: number) => (redacted ? null : telling.url({ index, slot }));
  const photos = [LEFT, CENTER, RIGHT].map((slot, i) => ({
    page: ["left_photo", "center_photo", "right_photo"][i]!,
    ...telling.file({ index, slot }),
  }));
  const names = ["selfie_id_comparison", "selfie_pose_detection", "selfie_liveness_detection"];
  const random = new Random(world.seed, 242, index);
  return {
    type: "verification/selfie",
    id: personaId(world.seed, "ver", index, SELFIE),
    attributes: {
      ...shared(world, telling, index, SELFIE, names),
      "entity-confidence-reasons": [],
      "capture-method": "video",
      "selfie-similarity-score-left": random.integer(80, 100),
      "selfie-similarity-score-right": random.integer(80, 100),
      "document-similarity-score": random.integer(700, 1000) / 10,
      "left-photo-url": url(LEFT),
      "center-photo-url": url(CENTER),
      "right-photo-url": url(RIGHT),
      "photo-urls": redacted ? [] : telling.shuffle(photos),
      "video-url": url(VIDEO),
      "from-reusable-persona": false,
    },
    relationships: related(world, index, "selfie"),
  };
}

export function makeVerification(world: World, telling: Telling, index: number, at: number): Wire | undefined {
  if (course(world, index).captured === undefined) return undefined;
  return at === SELFIE ? selfie(world, telling, index) : governmentId(world, telling, index, at);
}

/** It has no URL of its own: its pictures are those of the verification. */
export function makeSelfie(world: World, index: number): Wire | undefined {
  const { captured, processed } = course(world, index);
  if (captured === undefined) return undefined;
  return {
    type: "selfie/profile-and-center",
    id: personaId(world.seed, "self", index),
    attributes: { status: "processed", "created-at": time(captured), "processed-at": time(processed) },
    relationships: { inquiry: one("inquiry", personaId(world.seed, "inq", index)) },
  };
}
