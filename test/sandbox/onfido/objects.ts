/** Applicants, checks, documents, other media and monitors as the API shows them. */
import { hash } from "../random.ts";
import { course, MINUTE, offset, personOf, zulu } from "./course.ts";
import { onfidoId } from "./id.ts";
import { reportNames } from "./report.ts";
import { secretOf } from "./secret.ts";
import { captureOf, type Medium, type Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

export const BASE_PATH = "/v3.6";

export type Wire = Readonly<Record<string, unknown>> & { readonly id: string };

const href = (plural: string, id: string) => `${BASE_PATH}/${plural}/${id}`;

export function makeApplicant(world: World, index: number): Wire {
  const { created, fate } = course(world, index);
  const person = personOf(world, index);
  const id = onfidoId(world.seed, "applicant", index);
  const { deletionDelay } = world.options;
  return {
    id,
    created_at: zulu(created),
    sandbox: true,
    first_name: person.given,
    last_name: person.family,
    email: index % 5 === 4 ? null : person.email,
    dob: person.birth,
    delete_at: fate.deleted === undefined ? null : zulu(fate.deleted + deletionDelay),
    href: href("applicants", id),
    phone_number: fate.applicant === 0 ? null : `+99900000000${fate.applicant}`,
    id_numbers: index % 3 === 1 ? [{ type: "tax_id", value: person.customer, state_code: null }] : [],
    address: {
      ...{ flat_number: null, building_number: null, building_name: null, street: person.address, sub_street: null },
      ...{ town: person.city, state: null, postcode: "AB1 2CD", country: person.state.code },
      ...{ line1: null, line2: null, line3: null },
    },
    location: { ip_address: person.ip, country_of_residence: person.state.code },
  };
}

export function makeConsents(world: World, index: number): readonly object[] {
  const { created } = course(world, index);
  return ["privacy_notices_read", "ssn_verification"]
    .slice(0, index % 3)
    .map((name) => ({ name, granted: true, granted_at: offset(created) }));
}

/** The first check, then those that the monitor made. */
export function checksOf(world: World, index: number): number[] {
  const { check, monitored, fate } = course(world, index);
  if (!check) return [];
  return Array.from({ length: 1 + (monitored ? fate.monitor : 0) }, (_, at) => at).reverse();
}

export function makeCheck(world: World, index: number, at: number): Wire {
  const { check, fate } = course(world, index);
  const [status, result = null] = at === 0 ? check!.state.split(" ") : ["complete", "consider"];
  const id = onfidoId(world.seed, "check", index, at);
  const created = at === 0 ? check!.created : Math.floor((fate.monitored ?? 0) / 1000) * 1000;
  return {
    id,
    created_at: zulu(created),
    href: href("checks", id),
    applicant_id: onfidoId(world.seed, "applicant", index),
    applicant_provides_data: status === "awaiting_applicant",
    status,
    result,
    tags: at === 0 ? [`batch-${index % 4}`] : ["monitor"],
    report_ids: reportNames(world, index, at).map((_, n) => onfidoId(world.seed, "report", index, 16 * at + n)),
    webhook_ids: [],
    form_uri:
      status === "awaiting_applicant"
        ? `https://onfido.example/information/${secretOf(world.seed, "form", index, 0)}`
        : null,
    redirect_uri: null,
    results_uri: `https://dashboard.onfido.example/checks/${id}`,
    sandbox: true,
    paused: false,
    version: "3.6",
    privacy_notices_read_consent_given: true,
  };
}

export function makeDocument(world: World, shelf: Shelf, index: number, at: number): Wire {
  const { document, page } = shelf.documentAt(index, at);
  const { captured } = course(world, index);
  const id = onfidoId(world.seed, "document", index, at);
  const type = { PASSPORT: "passport", NATIONAL_ID_CARD: "national_identity_card", DRIVERS_LICENSE: "driving_licence" };
  return {
    id,
    created_at: zulu(captured! + captureOf(at) * MINUTE),
    href: href("documents", id),
    download_href: `${href("documents", id)}/download`,
    file_name: `${type[document!.type]}.png`,
    file_type: "png",
    file_size: shelf.size("document", index, at),
    type: type[document!.type],
    side: document!.pages === 1 ? (index % 2 === 0 ? "front" : null) : page === 1 ? "front" : "back",
    issuing_country: page === 1 ? personOf(world, index).state.code : null,
    applicant_id: onfidoId(world.seed, "applicant", index),
  };
}

const TYPES: Readonly<Record<Medium, readonly [type: string, name: string]>> = {
  live_photo: ["image/png", "selfie.png"],
  live_video: ["video/quicktime", "live.mov"],
  motion_capture: ["video/mp4", "motion.mp4"],
  id_photo: ["image/png", "id.png"],
  signing_document: ["application/pdf", "agreement.pdf"],
};

export function makeMedium(world: World, shelf: Shelf, medium: Medium, index: number, at: number): Wire {
  const { captured } = course(world, index);
  const id = onfidoId(world.seed, medium, index, at);
  const [file_type, file_name] = TYPES[medium];
  const shared = {
    id,
    created_at: offset(captured! + at * MINUTE + 5000),
    href: href(`${medium}s`, id),
    download_href: `${href(`${medium}s`, id)}/download`,
    ...{ file_name, file_type, file_size: shelf.size(medium, index, at) },
  };
  if (medium === "signing_document") return { ...shared, applicant_id: onfidoId(world.seed, "applicant", index) };
  if (medium !== "live_video") return shared;
  const digits = [0, 1, 2].map((n) => hash(world.seed, 311, index, n) % 10);
  const challenge = [
    { type: "recite", query: digits },
    { type: "movement", query: index % 2 === 0 ? "turnLeft" : "turnRight" },
  ];
  return { ...shared, challenge, languages: [{ source: "sdk", language_code: "en_US" }] };
}

export function makeMonitor(world: World, index: number): Wire | undefined {
  const { monitored, check } = course(world, index);
  if (!monitored) return undefined;
  return {
    id: onfidoId(world.seed, "watchlist_monitor", index),
    applicant_id: onfidoId(world.seed, "applicant", index),
    report_name: "watchlist_standard",
    tags: [],
    created_at: zulu(check!.created + 10 * MINUTE),
    deleted_at: null,
    is_sandbox: true,
  };
}

export function makeMatches(world: World, index: number): Wire[] {
  const count = course(world, index).fate.monitor;
  return Array.from({ length: count }, (_, at) => ({
    id: onfidoId(world.seed, "match", index, at),
    enabled: true,
  }));
}
