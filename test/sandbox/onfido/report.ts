/** The reports of a check, and what a document report says of a document. */
import type { Document, Person } from "../person.ts";
import { course, offset, personOf } from "./course.ts";
import { onfidoId } from "./id.ts";
import { pageAt, type Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

const WATCHLISTS = ["watchlist_standard", "watchlist_enhanced", "watchlist_aml"] as const;
const clear = (breakdown?: object) => ({ result: "clear", ...(breakdown ? { breakdown } : {}) });

/** The names of a check's reports, in the order of its `report_ids`. */
export function reportNames(world: World, index: number, check: number): readonly string[] {
  if (check > 0) return ["watchlist_standard"];
  const { check: course_ } = course(world, index);
  if (!course_) return [];
  return [
    // One for each document.
    ...personOf(world, index).documents.map((_, at) => (index % 7 === 2 && at === 0 ? "document_video" : "document")),
    index % 2 === 0 ? "facial_similarity_photo" : "facial_similarity_video",
    WATCHLISTS[index % 3]!,
    ...(index % 4 === 0 ? ["known_faces"] : []),
    ...(index % 5 === 0 ? ["identity_enhanced"] : []),
    ...(index % 6 === 0 ? ["device_intelligence"] : []),
  ];
}

/** What was read from a document. */
export function readDocument(person: Person, document: Document, hasChip: boolean): Record<string, unknown> {
  const type = { PASSPORT: "passport", NATIONAL_ID_CARD: "national_identity_card", DRIVERS_LICENSE: "driving_licence" };
  const lines = Object.fromEntries(document.mrz.map((line, at) => [`mrz_line${at + 1}`, line]));
  return {
    first_name: person.printedGiven,
    middle_name: null,
    last_name: person.printedFamily,
    date_of_birth: person.birth,
    document_numbers: [{ type: "document_number", value: document.number }],
    personal_number: null,
    document_type: type[document.type],
    date_of_expiry: document.expiry,
    issuing_date: document.issued,
    issuing_country: person.state.code,
    nationality: person.state.code,
    gender: { male: "Male", female: "Female", unspecified: null }[person.sex],
    place_of_birth: person.birthplace,
    ...lines,
    ...(document.type === "DRIVERS_LICENSE" ? { address: `${person.address}, ${person.city}` } : {}),
    ...(hasChip ? { nfc: { document_number: document.number, date_of_birth: person.birth } } : {}),
    barcode: [],
    extracted_data: { first_name: person.printedGiven, last_name: person.printedFamily },
  };
}

export const documentBreakdown = (result: string) => ({
  data_comparison: clear({ first_name: clear(), last_name: clear() }),
  data_validation: {
    result,
    breakdown: { document_expiration: { result, properties: {} }, document_numbers: clear() },
  },
  image_integrity: clear({ supported_document: clear() }),
  visual_authenticity: clear({ security_features: clear() }),
  police_record: { result: "clear" },
});

export function makeReport(world: World, shelf: Shelf, index: number, at: number) {
  const [check, number] = [Math.floor(at / 16), at % 16];
  const name = reportNames(world, index, check)[number];
  if (name === undefined) return undefined;
  const { check: of, fate } = course(world, index);
  const id = onfidoId(world.seed, "report", index, at);
  const state = check === 0 ? of!.state : "complete consider";
  const isDone = state.startsWith("complete");
  // A change of a report turns the result of the last one.
  const isLast = check === 0 && number === reportNames(world, index, 0).length - 1;
  const turns = (state.endsWith("consider") && number === 0 ? 1 : 0) + (isLast ? fate.report : 0);
  const result = turns % 2 === 1 ? "consider" : "clear";
  const created = check === 0 ? of!.created : Math.floor((fate.monitored ?? 0) / 1000) * 1000;
  const isDocument = name.startsWith("document");
  const isFace = name.startsWith("facial");
  const ids = (kind: "document" | "live_photo" | "live_video", places: readonly number[]) =>
    places.map((place) => ({ id: onfidoId(world.seed, kind, index, place) }));
  const status = isDone ? "complete" : state === "withdrawn" ? "withdrawn" : "awaiting_data";
  return {
    id,
    // The same second as the check's, in the other of both ways to write it.
    created_at: offset(created),
    name,
    href: `/v3.6/reports/${id}`,
    status,
    result: isDone ? result : null,
    sub_result: isDone && isDocument ? (result === "clear" ? "clear" : "caution") : null,
    check_id: onfidoId(world.seed, "check", index, check),
    // While a report is open they are arrays.
    ...(isDone ? said(world, shelf, index, number, name, result) : { breakdown: [], properties: [] }),
    documents: isDocument ? ids("document", shelf.documents(index, number)) : [],
    ...(isFace
      ? {
          live_photos: ids("live_photo", name.endsWith("photo") ? shelf.media("live_photo", index) : []),
          live_videos: ids("live_video", name.endsWith("video") ? shelf.media("live_video", index) : []),
          motion_captures: [],
          id_photos: [],
        }
      : {}),
  };
}

/** The breakdown and the properties of a report that is done. */
function said(world: World, shelf: Shelf, index: number, number: number, name: string, result: string) {
  const person = personOf(world, index);
  if (name.startsWith("document")) {
    const hasChip = shelf.hasChip(index, pageAt(0, number, 1));
    return {
      breakdown: documentBreakdown(result),
      properties: readDocument(person, person.documents[number]!, hasChip),
    };
  }
  if (name.startsWith("facial")) {
    const breakdown = {
      face_comparison: { result, breakdown: { face_match: { result, properties: {} } } },
      image_integrity: clear({ face_detected: clear() }),
      visual_authenticity: clear({ spoofing_detection: clear() }),
    };
    return { breakdown, properties: {} };
  }
  if (name === "known_faces") {
    return {
      breakdown: { previously_seen_faces: { result }, image_integrity: { result } },
      properties: { matches: [] },
    };
  }
  if (name === "identity_enhanced") {
    const breakdown = { sources: clear(), address: clear(), date_of_birth: clear(), mortality: { result } };
    return { breakdown, properties: { matched_address: null, matched_addresses: [] } };
  }
  if (name === "device_intelligence") {
    const properties = { ip: { address: person.ip, country: "Utopia" } };
    return { breakdown: { device: { result } }, properties };
  }
  const records = result === "clear" ? [] : [{ full_name: `${person.given} ${person.family}` }];
  return {
    breakdown: { politically_exposed_person: { result }, sanction: clear(), adverse_media: clear() },
    properties: { records },
  };
}
