/** Workflow runs and their tasks. In Studio, reports are in the outputs of both, not under checks. */
import { hash } from "../random.ts";
import { course, hasEvidence, isCaptured, offset, personOf, signatureOf, zulu } from "./course.ts";
import { onfidoId } from "./id.ts";
import type { Wire } from "./objects.ts";
import { documentBreakdown, readDocument } from "./report.ts";
import { secretOf } from "./secret.ts";
import { pageAt, type Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

/** @param answer sdk tokens are made again for each answer while the applicant still has to do something */
export function makeRun(world: World, shelf: Shelf, index: number, answer: number): Wire | undefined {
  const { run } = course(world, index);
  if (!run) return undefined;
  const person = personOf(world, index);
  const id = onfidoId(world.seed, "workflow_run", index);
  const isDone = hasEvidence(run.status);
  const isWaiting = run.status === "awaiting_input";
  return {
    id,
    applicant_id: onfidoId(world.seed, "applicant", index),
    workflow_id: onfidoId(world.seed, "workflow", 0),
    workflow_version_id: 11,
    status: run.status,
    output: isDone ? output(world, shelf, index) : null,
    reasons: run.status === "declined" ? ["document_expired"] : null,
    error: run.status === "error" ? { type: "task_error", message: "Something went wrong" } : null,
    link: {
      url: `https://eu.onfido.app/l/${secretOf(world.seed, "link", index, answer)}`,
      ...{ completed_redirect_url: null, expired_redirect_url: null, expires_at: null, language: null },
    },
    tags: index % 2 === 0 ? [`cohort-${index % 4}`] : null,
    customer_user_id: person.customer,
    sdk_token: isWaiting ? secretOf(world.seed, "sdk", index, answer) : null,
    dashboard_url: `https://dashboard.onfido.com/results/${id}`,
    created_at: offset(run.created),
    updated_at: zulu(run.updated),
  };
}

const DEFINITIONS = [
  "start",
  "profile_data",
  "document_photo",
  "document_check",
  "face_photo",
  "face_check_motion",
] as const;

/** What the tasks are, those that have begun, oldest first. */
function definitionsOf(world: World, index: number): string[] {
  const { run } = course(world, index);
  const signature = signatureOf(world, index);
  return [
    ...DEFINITIONS.slice(0, run && isCaptured(run.status) ? DEFINITIONS.length : 2),
    ...(signature ? [`${signature.kind}_electronic_signature`] : []),
  ];
}

/** The ids of the tasks that have begun, oldest first. */
export function taskIds(world: World, index: number): string[] {
  const { run } = course(world, index);
  if (!run) return [];
  return definitionsOf(world, index).map((name) => `${name}_${hash(world.seed, 312, index, name.length) % 100_000}`);
}

export function makeTask(world: World, shelf: Shelf, index: number, id: string, whole: boolean): Wire | undefined {
  const at = taskIds(world, index).indexOf(id);
  const { run } = course(world, index);
  if (at < 0) return undefined;
  const listed = {
    id,
    workflow_run_id: onfidoId(world.seed, "workflow_run", index),
    task_def_id: definitionsOf(world, index)[at],
    task_def_version: at < 2 ? null : "1.0.0",
    created_at: offset(run!.created + at * 10_000),
    updated_at: zulu(Math.min(run!.updated, run!.created + (at + 1) * 10_000)),
  };
  return whole
    ? { ...listed, input: {}, output: outputs(world, shelf, index)[definitionsOf(world, index)[at]!] }
    : listed;
}

function outputs(world: World, shelf: Shelf, index: number): Readonly<Record<string, unknown>> {
  const person = personOf(world, index);
  const documents = shelf.documents(index).map((at) => ({ id: onfidoId(world.seed, "document", index, at) }));
  const { doc } = output(world, shelf, index);
  return {
    start: null,
    profile_data: { first_name: person.given, last_name: person.family, dob: person.birth, email: person.email },
    // Some tasks answer with a list.
    document_photo: documents,
    document_check: course(world, index).captured === undefined ? null : doc,
    face_photo: shelf.media("motion_capture", index).map((at) => ({
      id: onfidoId(world.seed, "motion_capture", index, at),
      type: "motion",
    })),
    face_check_motion: { result: "clear", breakdown: {}, properties: { score: 0.93 } },
    ...signed(world, index),
  };
}

/** The signed document, and the receipt of the signing. */
function signed(world: World, index: number): Readonly<Record<string, unknown>> {
  const signature = signatureOf(world, index);
  if (!signature) return {};
  const [document, receipt] = signature.files.map((at) => ({ id: onfidoId(world.seed, "signed", index, at) }));
  const properties = { signed_documents: [document], ...(receipt ? { receipt_document: receipt } : {}) };
  return { [`${signature.kind}_electronic_signature`]: { properties } };
}

/** One report for each document: `doc`, `doc_2`. */
function output(world: World, shelf: Shelf, index: number): Readonly<Record<string, unknown>> {
  const { run } = course(world, index);
  const person = personOf(world, index);
  const result = run?.status === "approved" ? "clear" : "consider";
  const reports = person.documents.map((document, at): [string, object] => {
    const properties = readDocument(person, document, shelf.hasChip(index, pageAt(0, at, 1)));
    const report = {
      uuid: onfidoId(world.seed, "report", index, 1_000 + at),
      ...{ result, sub_result: result === "clear" ? "clear" : "caution", status: "complete" },
      breakdown: documentBreakdown(result),
      properties: { ...properties, document_number: document.number },
    };
    return [at === 0 ? "doc" : `doc_${at + 1}`, report];
  });
  return { ...Object.fromEntries(reports), applicant_id: onfidoId(world.seed, "applicant", index) };
}
