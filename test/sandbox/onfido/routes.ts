/** Paths of the API and their answers. */
import type { FileBody } from "../files.ts";
import { course, signatureOf, zulu } from "./course.ts";
import { type Kind, onfidoId, placeOf } from "./id.ts";
import {
  BASE_PATH,
  checksOf,
  makeApplicant,
  makeCheck,
  makeConsents,
  makeDocument,
  makeMatches,
  makeMedium,
  makeMonitor,
} from "./objects.ts";
import { applicantPage, runPage } from "./paging.ts";
import { makePdf } from "./pdf.ts";
import { forbidden, gone, invalid, notFound, unnamed } from "./refusal.ts";
import { makeReport, reportNames } from "./report.ts";
import { makeRun, makeTask, taskIds } from "./run.ts";
import { MEDIA, type Medium, type Shelf, type Slot } from "./shelf.ts";
import type { World } from "./world.ts";

export type Endpoint = string;

export interface Asked {
  readonly world: World;
  readonly shelf: Shelf;
  /** The number of the answer: tokens are made again for each. */
  readonly answer: number;
  readonly origin: string;
  /** A signed URL on the files' host. */
  readonly signedUrl: (path: string) => string;
  readonly url: URL;
}

export type Answer =
  | { readonly kind: "json"; readonly value: unknown; readonly headers?: Record<string, string> }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly body: FileBody; readonly id: string; readonly name: string }
  | { readonly kind: "redirect"; readonly to: string };

const json = (value: unknown, headers: Record<string, string> = {}): Answer => ({ kind: "json", value, headers });
const PLURALS: Readonly<Record<string, Kind>> = {
  applicants: "applicant",
  checks: "check",
  reports: "report",
  documents: "document",
  workflow_runs: "workflow_run",
  watchlist_monitors: "watchlist_monitor",
  ...Object.fromEntries(MEDIA.map((medium) => [`${medium}s`, medium])),
};

const SIGNATURE = /^(qualified|advanced|simple)_electronic_signature$/;

/** The path below the base, split; undefined for any other. */
function stepsOf(pathname: string): string[] | undefined {
  return pathname.startsWith(`${BASE_PATH}/`) ? pathname.slice(BASE_PATH.length + 1).split("/") : undefined;
}

/** `applicants`, `applicants/…`, `documents/…/download`: the path without ids, or `write` and `other`. */
export function endpointOf(method: string, pathname: string): Endpoint {
  const steps = stepsOf(pathname);
  if (!steps) return "other";
  if (pathname === `${BASE_PATH}/oauth/token`) return "oauth/token";
  if (method !== "GET") return "write";
  const [plural = "", id, ...rest] = steps;
  if (plural === "ping" && id === undefined) return "ping";
  if (SIGNATURE.test(plural) && id === "documents" && rest.length === 0) return `${plural}/documents`;
  if (!Object.hasOwn(PLURALS, plural)) return "other";
  if (id === undefined) return plural;
  const below = rest[0] === "tasks" && rest[1] !== undefined ? ["tasks", "…", ...rest.slice(2)] : rest;
  return [plural, "…", ...below].join("/");
}

/** Throws a refusal, or answers. */
export function answer(endpoint: Endpoint, asked: Asked): Answer {
  if (endpoint === "write") throw forbidden();
  if (endpoint === "ping") return { kind: "text", text: "OK" };
  if (endpoint === "other") throw unnamed();
  const [plural = "", id, ...below] = stepsOf(asked.url.pathname)!;
  if (SIGNATURE.test(plural)) return signed(plural, asked);
  return id === undefined ? list(plural, asked) : single(plural, id, below, asked);
}

/** The applicant that an object belongs to must be there. */
function placeHere({ world }: Asked, kind: Kind, id: string): { index: number; at: number } {
  const place = placeOf(world.seed, kind, id);
  if (!place) throw notFound(kind, id);
  const presence = world.presence(place.index);
  if (presence === "deleted") throw gone(kind === "applicant" ? "Applicant" : "Check");
  if (presence === "erased") throw notFound(kind, id);
  return place;
}

function owner(asked: Asked): number {
  const id = asked.url.searchParams.get("applicant_id");
  if (id === null) throw invalid("applicant_id is missing");
  return placeHere(asked, "applicant", id).index;
}

function list(plural: string, asked: Asked): Answer {
  const { world, shelf, url, answer: number } = asked;
  if (plural === "applicants") return json(...applicantPage(world, url, asked.origin));
  if (plural === "workflow_runs") return json(runPage(world, url, (index) => makeRun(world, shelf, index, number)!));
  if (plural === "reports") {
    const id = url.searchParams.get("check_id");
    if (id === null) throw invalid("check_id is missing");
    const { index, at } = placeHere(asked, "check", id);
    if (!checksOf(world, index).includes(at)) throw notFound("Check", id);
    const reports = reportNames(world, index, at).map((_, n) => makeReport(world, shelf, index, 16 * at + n));
    return json({ reports });
  }
  const index = owner(asked);
  if (plural === "checks") return json({ checks: checksOf(world, index).map((at) => makeCheck(world, index, at)) });
  if (plural === "watchlist_monitors") return json({ monitors: [makeMonitor(world, index) ?? []].flat() });
  if (plural === "documents")
    return json({ documents: shelf.documents(index).map((at) => makeDocument(world, shelf, index, at)) });
  const medium = PLURALS[plural] as Medium;
  const objects = shelf.media(medium, index).map((at) => makeMedium(world, shelf, medium, index, at));
  return json({ [plural]: objects });
}

function single(plural: string, id: string, below: readonly string[], asked: Asked): Answer {
  const { world, shelf, answer: number } = asked;
  const kind = PLURALS[plural]!;
  const { index, at } = placeHere(asked, kind, id);
  const part = below.join("/");
  const found = (value: unknown): Answer => {
    if (value === undefined || part !== "") throw notFound(kind, id);
    return json(value);
  };
  const file = (slot: Slot, isThere: boolean, name: string): Answer => {
    if (!isThere) throw notFound(slot, id);
    return { kind: "file", body: shelf.body(slot, index, at), id, name };
  };
  switch (kind) {
    case "applicant":
      return part === "consents" ? json(makeConsents(world, index)) : found(makeApplicant(world, index));
    case "check":
      if (!checksOf(world, index).includes(at)) throw notFound(kind, id);
      // Made for each request, with its time: never the same twice.
      if (part === "download")
        return { kind: "file", id, name: "check.pdf", body: pdf(`check ${id} ${zulu(world.now())} ${number}`) };
      return found(makeCheck(world, index, at));
    case "report":
      return found(makeReport(world, shelf, index, at));
    case "watchlist_monitor":
      return part === "matches" ? json({ matches: makeMatches(world, index) }) : found(makeMonitor(world, index));
    case "workflow_run":
      return run(id, index, below, asked, found);
    case "document": {
      const isThere = shelf.documents(index).includes(at);
      if (part === "download") return file("document", isThere, "document.png");
      if (part === "nfc_face") return file("nfc_face", isThere && shelf.hasChip(index, at), "nfc_face.png");
      if (part === "video/download") return file("video", isThere && shelf.isFilmed(index, at), "document.mp4");
      return found(isThere ? makeDocument(world, shelf, index, at) : undefined);
    }
    default: {
      const medium = kind as Medium;
      const isThere = shelf.media(medium, index).includes(at);
      if (part === "download") return file(medium, isThere, medium);
      const isFilm = medium === "live_video" || medium === "motion_capture";
      if (part === "frame" && isFilm) return file("frame", isThere, "frame.png");
      return found(isThere ? makeMedium(world, shelf, medium, index, at) : undefined);
    }
  }
}

/** A qualified signature's file is named by `file_id`, another by `id`. */
function signed(plural: string, asked: Asked): Answer {
  const { world, shelf, url } = asked;
  const kind = SIGNATURE.exec(plural)![1];
  const run = url.searchParams.get("workflow_run_id");
  const id = url.searchParams.get(kind === "qualified" ? "file_id" : "id");
  if (run === null || id === null) throw invalid("workflow_run_id or the file's id is missing");
  const { index } = placeHere(asked, "workflow_run", run);
  const place = placeOf(world.seed, "signed", id);
  const signature = signatureOf(world, index);
  if (place?.index !== index || signature?.kind !== kind || !signature?.files.includes(place.at))
    throw notFound("signed document", id);
  if (index % 2 === 0) return { kind: "redirect", to: asked.signedUrl(`/${id}.pdf`) };
  return { kind: "file", body: shelf.body("signed", index, place.at), id, name: "signed.pdf" };
}

function run(
  id: string,
  index: number,
  below: readonly string[],
  asked: Asked,
  found: (value: unknown) => Answer,
): Answer {
  const { world, shelf, answer: number } = asked;
  const [part, task] = below;
  if (!course(world, index).run) throw notFound("workflow_run", id);
  if (part === "tasks" && task === undefined)
    return json(taskIds(world, index).map((one) => makeTask(world, shelf, index, one, false)));
  if (part === "tasks" && below.length === 2) {
    const made = makeTask(world, shelf, index, task!, true);
    if (made === undefined) throw notFound("task", task!);
    return json(made);
  }
  if (part === "signed_evidence_file" && below.length === 1) {
    // What Onfido answers until it is ready is not documented.
    if (!shelf.hasEvidence(index)) throw notFound("signed_evidence_file", id);
    const body = shelf.body("evidence", index, 0);
    const path = `/${onfidoId(world.seed, "evidence", index)}.pdf`;
    return index % 2 === 0
      ? { kind: "redirect", to: asked.signedUrl(path) }
      : { kind: "file", body, id, name: "evidence.pdf" };
  }
  return found(part === undefined ? makeRun(world, shelf, index, number) : undefined);
}

function pdf(words: string): FileBody {
  const bytes = makePdf(words);
  return { mediaType: "application/pdf", size: bytes.length, bytes };
}
