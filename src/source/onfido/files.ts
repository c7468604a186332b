import type { FileRef } from "../../core/identity.ts";
import { object, plainId, word } from "../answer.ts";
import type { Call } from "../http.ts";
import { idsIn, type Resource, timeOf } from "./answers.ts";
import { documentsOf, type Gathering, type Plural } from "./gathering.ts";
import { isFinal } from "./open.ts";

/** How a file is asked for: its kind and the id of what it belongs to. */
interface Kind {
  readonly name: string;
  readonly path: (id: string) => string;
  /** A closed list: types are logged in clear text. */
  readonly type: string;
  /** Onfido may answer with a signed address on another host. */
  readonly redirect?: boolean;
}

const download = (plural: Plural, parameter: string, type: string): Kind => ({
  name: `GET /${plural}/{${parameter}}/download`,
  path: (id) => `/${plural}/${id}/download`,
  type,
});

const KINDS: Readonly<Record<string, Kind>> = {
  documents: download("documents", "document_id", "document_image"),
  "documents/nfc_face": {
    name: "GET /documents/{document_id}/nfc_face",
    path: (id) => `/documents/${id}/nfc_face`,
    type: "chip_image",
  },
  "documents/video": {
    name: "GET /documents/{document_id}/video/download",
    path: (id) => `/documents/${id}/video/download`,
    type: "document_video",
  },
  live_photos: download("live_photos", "live_photo_id", "face_image"),
  live_videos: download("live_videos", "live_video_id", "face_video"),
  motion_captures: download("motion_captures", "motion_capture_id", "face_video"),
  id_photos: download("id_photos", "id_photo_id", "face_image"),
  signing_documents: download("signing_documents", "signing_document_id", "document_file"),
  evidence: {
    name: "GET /workflow_runs/{workflow_run_id}/signed_evidence_file",
    path: (id) => `/workflow_runs/${id}/signed_evidence_file`,
    type: "evidence_file",
    redirect: true,
  },
};

/** The kinds of electronic signatures, and how their endpoint names a file. */
const SIGNATURES: Readonly<Record<string, string>> = { qualified: "file_id", advanced: "id", simple: "id" };
/** `any`: the task does not say which kind it is. */
const SIGNED = /^(qualified|advanced|simple|any)_signature\/([A-Za-z0-9_-]{1,200})\/([A-Za-z0-9_-]{1,200})$/;

/** The calls for a file, of which one has it; none for an id that no dossier has. */
export function fileCalls({ id }: Pick<FileRef, "id">): readonly { call: Call; redirect: boolean }[] {
  const [, signature, run, file] = SIGNED.exec(id) ?? [];
  if (signature !== undefined)
    return (signature === "any" ? Object.keys(SIGNATURES) : [signature]).map((kind) => {
      const path = `/${kind}_electronic_signature/documents`;
      const query = `?workflow_run_id=${run}&${SIGNATURES[kind]}=${file}`;
      return { call: { name: `GET ${path}`, path: path + query }, redirect: true };
    });
  const [, plural = "", of = "", , part] = /^([a-z_]{3,20})\/([A-Za-z0-9_-]{1,200})(\/([a-z_]{3,20}))?$/.exec(id) ?? [];
  const key = part === undefined ? plural : `${plural}/${part}`;
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined;
  return kind ? [{ call: { name: kind.name, path: kind.path(of) }, redirect: kind.redirect ?? false }] : [];
}

const SIDES: Readonly<Record<string, number>> = { front: 1, back: 2 };

/**
 * The files of a dossier. No list says which documents have a chip's picture or a video, so the reports do. What Onfido
 * derives again for each request is left out: PDFs of checks, frames of videos, folders of evidence. An object's bytes
 * never change, but the evidence of a run does with the run.
 */
export function filesOf({ reports, tasks, runs, media }: Gathering): FileRef[] {
  const inStudio = tasks.flatMap(({ said }) => outputsOf(said.output));
  const hasChip = ({ said }: Pick<Resource, "said">) => Object.keys(object(object(said.properties).nfc)).length > 0;
  const chips = documentsOf(reports, hasChip);
  const films = documentsOf(reports, ({ said }) => word(said.name)?.startsWith("document_video") ?? false);
  // A report in the output of a task does not name its documents.
  const isChipInStudio = inStudio.some((said) => hasChip({ said }));
  const found: FileRef[] = [];
  const add = (kind: string, resource: Resource, part?: string, page: number | null = null) => {
    const updated = timeOf(resource, part === undefined && kind === "evidence" ? "updated_at" : "created_at");
    const id = [kind, resource.id, ...(part === undefined ? [] : [part])].join("/");
    const { type } = KINDS[part === undefined ? kind : `${kind}/${part}`]!;
    found.push({ id, resource: resource.id, type, page, updated: updated ?? "1970-01-01T00:00:00Z" });
  };
  for (const document of media.get("documents") ?? []) {
    const side = word(document.said.side) ?? "";
    add("documents", document, undefined, SIDES[side] ?? null);
    const mayHaveChip = isChipInStudio && side !== "back" && word(document.said.type) === "passport";
    if (chips.has(document.id) || mayHaveChip) add("documents", document, "nfc_face");
    if (films.has(document.id)) add("documents", document, "video");
  }
  for (const [plural, resources] of media)
    if (plural !== "documents") for (const resource of resources) add(plural, resource);
  for (const run of runs) if (isFinal(run) && hasEvidence(run)) add("evidence", run);
  const isOfRun = (id: string): boolean => runs.some((run) => run.id === id);
  return [...found, ...tasks.flatMap(signedIn).filter(({ resource }) => isOfRun(resource))];
}

/** What the applicant signed in a task, and the receipt of it: only the task's output names them. */
function signedIn(task: Resource): FileRef[] {
  const { said } = task;
  // Onfido does not document the names of tasks. Only tasks of signatures name signed documents.
  const [, signature = "any"] =
    /^(qualified|advanced|simple)_electronic_signature/.exec(String(said.task_def_id)) ?? [];
  const run = plainId.safeParse(said.workflow_run_id).data;
  if (run === undefined) return [];
  const { signed_documents: documents, receipt_document: receipt } = object(object(said.output).properties);
  const updated = timeOf(task, "created_at") ?? "1970-01-01T00:00:00Z";
  return [
    ...idsIn(documents).map((id) => ({ id, type: "signed_document" })),
    ...idsIn([receipt]).map((id) => ({ id, type: "signing_receipt" })),
  ].map(({ id, type }) => ({ id: `${signature}_signature/${run}/${id}`, resource: run, type, page: null, updated }));
}

/** A run that was given up or failed has no evidence. */
const hasEvidence = ({ said }: Resource) => ["approved", "declined", "review"].includes(String(said.status));

/** All objects in a task's output, which is an object, a list or nothing. */
export function outputsOf(value: unknown, depth = 6): Readonly<Record<string, unknown>>[] {
  if (typeof value !== "object" || value === null || depth === 0) return [];
  const inner = Object.values(value).flatMap((part) => outputsOf(part, depth - 1));
  return Array.isArray(value) ? inner : [object(value), ...inner];
}
