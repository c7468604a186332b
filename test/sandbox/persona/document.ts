/** Documents, their files, and what a document and its verification both say. */
import type { Document, Person } from "../person.ts";
import { course, personOf, seconds, time } from "./course.ts";
import { personaId } from "./id.ts";
import { CENTER, page } from "./slot.ts";
import type { Telling } from "./telling.ts";
import { absent, one, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

const CLASS = { PASSPORT: "pp", NATIONAL_ID_CARD: "id", DRIVERS_LICENSE: "dl" } as const;

/** What was read from the document; all null after a redaction. */
export function extracted(person: Person, document: Document, redacted: boolean): Record<string, unknown> {
  const native = person.given.toUpperCase() !== person.printedGiven;
  const licence = document.type === "DRIVERS_LICENSE";
  const values = {
    "name-first": person.printedGiven,
    "name-middle": null,
    "name-last": person.printedFamily,
    "name-suffix": null,
    "native-name-first": native ? person.given : null,
    "native-name-middle": null,
    "native-name-last": native ? person.family : null,
    "native-name-title": null,
    birthdate: person.birth,
    "address-street-1": licence ? person.address : null,
    "address-street-2": null,
    "address-city": licence ? person.city : null,
    "address-subdivision": null,
    "address-postal-code": null,
    "issuing-authority": person.state.authority,
    "issuing-subdivision": null,
    nationality: person.state.code,
    "document-number": document.number,
    "visa-status": null,
    "issue-date": document.issued,
    "expiration-date": document.expiry,
    birthplace: person.birthplace,
    height: null,
    sex: { male: "Male", female: "Female", unspecified: null }[person.sex],
    endorsements: null,
    restrictions: null,
    "vehicle-class": licence ? document.categories.join(" ") : null,
    "identification-number": document.number,
  };
  const erased = redacted ? Object.fromEntries(Object.keys(values).map((key) => [key, null])) : values;
  return { "id-class": CLASS[document.type], ...erased, designations: [] };
}

/** Relations that documents and verifications share. */
export const origin = (world: World, index: number) => ({
  inquiry: one("inquiry", personaId(world.seed, "inq", index)),
  template: { data: null },
  "inquiry-template-version": one("inquiry-template-version", personaId(world.seed, "itmplv", 0)),
  "inquiry-template": one("inquiry-template", personaId(world.seed, "itmpl", 0)),
});

export function makeDocument(world: World, telling: Telling, index: number, at: number): Wire | undefined {
  const { captured, processed } = course(world, index);
  const person = personOf(world, index);
  const document = person.documents[at];
  if (captured === undefined || !document) return undefined;
  const redacted = world.childrenRedacted(index) !== undefined;
  const file = (slot: number) => (redacted ? null : telling.file({ index, slot }));
  const pages = Array.from({ length: document.pages }, (_, i) => page(at, i + 1));
  return {
    type: "document/government-id",
    id: personaId(world.seed, "doc", index, at),
    attributes: {
      status: "processed",
      "created-at": time(captured),
      "processed-at": time(processed),
      "processed-at-ts": seconds(processed),
      "front-photo": file(pages[0]!),
      "back-photo": pages[1] === undefined ? null : file(pages[1]),
      "selfie-photo": file(CENTER),
      ...extracted(person, document, redacted),
    },
    relationships: {
      ...origin(world, index),
      transaction: absent(index),
      "document-files": {
        data: telling.shuffle(
          pages.map((slot) => ({ type: "document-file", id: personaId(world.seed, "docf", index, slot) })),
        ),
      },
    },
  };
}

/** One page; its original is the same picture that the document and the verification name. */
export function makeDocumentFile(world: World, telling: Telling, index: number, slot: number): Wire | undefined {
  const document = personOf(world, index).documents[Math.floor(slot / 4)];
  const number = slot % 4;
  if (course(world, index).captured === undefined || !document || number < 1 || number > document.pages) return;
  const redacted = world.childrenRedacted(index) !== undefined;
  return {
    type: "document-file",
    id: personaId(world.seed, "docf", index, slot),
    attributes: {
      name: number === 1 ? "front" : "back",
      "capture-method": "manual",
      originals: redacted ? [] : [telling.file({ index, slot })],
    },
  };
}
