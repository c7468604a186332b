/** Paths of the API and their answers. */
import type { FileBody } from "../files.ts";
import { makePdf } from "../onfido/pdf.ts";
import { addComment } from "../png.ts";
import { makeApplicant } from "./applicant.ts";
import { LEVEL, personOf } from "./course.ts";
import { imagePlace, placeOf, sumsubId } from "./id.ts";
import { CHECKS, makeAction, makeAllDocs, makeAmlCase, makeChecks, makeInspection, makeResources } from "./parts.ts";
import { forbidden, invalid, notFound, unnamed } from "./refusal.ts";
import { makeHistory, makeModeration, makeReview, makeSteps } from "./review.ts";
import type { Shelf } from "./shelf.ts";
import type { Rights } from "./token.ts";
import type { World } from "./world.ts";

export interface About {
  readonly world: World;
  readonly shelf: Shelf;
}

export interface Asked extends About {
  readonly rights: Rights;
  readonly url: URL;
  readonly answer: number;
}

export type Answer =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "file"; readonly body: FileBody; readonly id: string };

/** Endpoints by their paths; groups are ids. */
const PATHS: readonly (readonly [name: string, path: RegExp])[] = [
  ["status/api", /^status\/api$/],
  ["levels", /^applicants\/-\/levels$/],
  ["applicants/externalUserId", /^applicants\/-;externalUserId=([^/;]+)\/one$/],
  ["applicants/…/one", /^applicants\/([^/]+)\/one$/],
  ["applicants/…/status", /^applicants\/([^/]+)\/status$/],
  ["applicants/…/requiredIdDocsStatus", /^applicants\/([^/]+)\/requiredIdDocsStatus$/],
  ["applicants/…/review/history", /^applicants\/([^/]+)\/review\/history$/],
  ["applicants/…/metadata/resources", /^applicants\/([^/]+)\/metadata\/resources$/],
  ["applicants/…/allDocs/docs", /^applicants\/([^/]+)\/allDocs\/docs$/],
  ["applicants/…/summary/report", /^applicants\/([^/]+)\/summary\/report$/],
  ["api/applicants/…/amlCase", /^api\/applicants\/([^/]+)\/amlCase$/],
  ["moderationStates", /^moderationStates\/-;applicantId=([^/;]+)$/],
  ["applicantActions", /^applicantActions\/-;applicantId=([^/;]+)$/],
  ["applicantActions/…/images/…", /^applicantActions\/([^/]+)\/images\/([^/]+)$/],
  ["inspections/…", /^inspections\/([^/]+)$/],
  ["inspections/…/resources/…", /^inspections\/([^/]+)\/resources\/([^/]+)$/],
  ["videoIdent/applicant/…/media/…", /^videoIdent\/applicant\/([^/]+)\/media\/([^/]+)$/],
  ["checks/latest", /^checks\/latest$/],
];

export interface Match {
  readonly endpoint: string;
  readonly ids: readonly string[];
}

/** The endpoint, or `write` and `other`, with the ids in its path. */
export function matchOf(method: string, pathname: string): Match {
  if (method !== "GET") return { endpoint: "write", ids: [] };
  const below = /^\/resources\/(.*)$/.exec(pathname)?.[1] ?? "";
  for (const [endpoint, path] of PATHS) {
    const [match, ...ids] = path.exec(below) ?? [];
    if (match !== undefined) return { endpoint, ids: ids.map(decoded) };
  }
  return { endpoint: "other", ids: [] };
}

export const endpointOf = (method: string, pathname: string): string => matchOf(method, pathname).endpoint;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const json = (value: unknown): Answer => ({ kind: "json", value });

/** Throws a refusal, or answers. */
export function answer({ endpoint, ids: [id = "", other = ""] }: Match, asked: Asked): Answer {
  const { world, shelf, url, rights } = asked;
  const applicant = () => here(asked, "applicant", id);
  switch (endpoint) {
    case "write":
      throw forbidden("change anything: this is a sandbox for reading");
    case "status/api":
      return json({ ok: 1 });
    case "levels":
      return json({
        list: { items: [{ id: "0".repeat(24), clientId: "sandbox-client", name: LEVEL }], totalItems: 1 },
      });
    case "applicants/externalUserId":
      return json(makeApplicant(world, byReference(asked, id), rights.personal));
    case "applicants/…/one":
      return json(makeApplicant(world, applicant(), rights.personal));
    case "applicants/…/status":
      return json(makeReview(world, applicant()));
    case "applicants/…/requiredIdDocsStatus":
      return json(makeSteps(world, shelf, applicant()));
    case "applicants/…/review/history":
      return json(makeHistory(world, applicant()));
    case "moderationStates":
      return json(makeModeration(world, applicant()));
    case "applicants/…/metadata/resources":
      return json(makeResources(world, shelf, personal(asked, applicant)));
    case "applicants/…/allDocs/docs":
      return found(makeAllDocs(world, personal(asked, applicant)), "AllDocs of applicant", id);
    case "applicants/…/summary/report":
      return { kind: "file", id, body: pdf(`report ${id} ${world.now()} ${asked.answer} ${applicant()}`) };
    case "api/applicants/…/amlCase":
      if (!rights.aml) throw forbidden("view AML screening");
      return found(makeAmlCase(world, applicant()), "AML case of applicant", id);
    case "applicantActions": {
      const all = shelf.actions(applicant());
      const [limit, offset] = [whole(url, "limit", 1000), whole(url, "offset", 0)];
      const items = all.slice(offset, offset + limit).map((at) => makeAction(world, shelf, applicant(), at));
      return json({ items, totalItems: all.length });
    }
    case "checks/latest": {
      const type = url.searchParams.get("type") ?? "";
      if (!CHECKS.includes(type)) throw invalid("Unknown check type");
      return json(makeChecks(world, shelf, here(asked, "applicant", url.searchParams.get("applicantId") ?? ""), type));
    }
    case "inspections/…":
      return json(makeInspection(world, here(asked, "inspection", id)));
    case "inspections/…/resources/…":
      return image(asked, here(asked, "inspection", id), other, (index) => shelf.images(index));
    case "applicantActions/…/images/…": {
      const place = placeOf(world.seed, "action", id);
      if (!place || !world.has(place.index)) throw notFound("Action", id);
      const { index, at } = place;
      return image(asked, index, other, () => (shelf.actions(index).includes(at) ? [shelf.imageOf(at)] : []));
    }
    case "videoIdent/applicant/…/media/…": {
      if (!rights.recordings) throw forbidden("view video ident media recordings");
      const index = applicant();
      const isIt = other === sumsubId(world.seed, "media", index) && shelf.isRecorded(index);
      if (!isIt) throw notFound("Recording", other);
      return { kind: "file", id: other, body: shelf.call(index) };
    }
    default:
      throw unnamed();
  }
}

function here({ world }: Asked, kind: "applicant" | "inspection", id: string): number {
  const place = placeOf(world.seed, kind, id);
  if (place?.at !== 0 || !world.has(place.index)) throw notFound(kind, id);
  return place.index;
}

function byReference({ world }: Asked, reference: string): number {
  // The reference of an invented person says whose it is.
  const index = Number(/^CUST-(\d+)-/.exec(reference)?.[1] ?? -1);
  if (!world.has(index) || personOf(world, index).customer !== reference) throw notFound("applicant", reference);
  return index;
}

function personal({ rights }: Asked, applicant: () => number): number {
  if (!rights.personal) throw forbidden("view applicant's personal data");
  return applicant();
}

function image(asked: Asked, index: number, id: string, has: (index: number) => readonly number[]): Answer {
  const { world, shelf, rights } = asked;
  personal(asked, () => index);
  const place = imagePlace(world.seed, id);
  if (place?.index !== index || !has(index).includes(place.at)) throw notFound("Image", id);
  const body = shelf.body(index, place.at);
  if (!rights.watermark || body.mediaType !== "image/png" || !Buffer.isBuffer(body.bytes))
    return { kind: "file", id, body };
  // As if the word were printed: other bytes than those that were sent.
  const bytes = addComment(body.bytes, "COPY");
  return { kind: "file", id, body: { ...body, bytes, size: bytes.length } };
}

function found(value: unknown, kind: string, id: string): Answer {
  if (value === undefined) throw notFound(kind, id);
  return json(value);
}

function whole(url: URL, name: string, otherwise: number): number {
  const text = url.searchParams.get(name) ?? String(otherwise);
  if (!/^\d{1,9}$/.test(text)) throw invalid(`${name} is invalid`);
  return Number(text);
}

function pdf(words: string): FileBody {
  const bytes = makePdf(words);
  return { mediaType: "application/pdf", size: bytes.length, bytes };
}
