import type { FileRef } from "../../core/identity.ts";
import { list, object, plainId, word } from "../answer.ts";
import type { Call } from "../http.ts";
import { idOf, type Members, timeOf } from "./answers.ts";
import { actionImageCall, imageCall, recordingCall } from "./calls.ts";
import type { Gathering } from "./gathering.ts";

const FILE_ID = /^(?:(action|call)\/)?([A-Za-z0-9_-]{1,200})$/;

/** The call for a file; undefined for an id that no dossier has. An image alone has no prefix. */
export function fileCall(applicant: string, { id, resource }: Pick<FileRef, "id" | "resource">): Call | undefined {
  const [, kind, file] = FILE_ID.exec(id) ?? [];
  if (file === undefined || ![applicant, resource].every((of) => plainId.safeParse(of).success)) return undefined;
  if (kind === "call") return recordingCall(applicant, file);
  return kind === "action" ? actionImageCall(resource, file) : imageCall(resource, file);
}

const SIDES: Readonly<Record<string, number>> = { FRONT_SIDE: 1, BACK_SIDE: 2 };
const FACES = ["SELFIE", "VIDEO_SELFIE", "PROFILE_IMAGE"];
const VIDEO = /^(video\/)?(mp4|webm|mov|quicktime|avi|mkv|x-matroska|3gpp?|mpeg)$/i;
const PAPER = /^(application\/)?pdf$/i;

/** A closed list: types are logged in clear text. */
function typeOf(fileType: unknown, idDocType: unknown): string {
  const is = (kind: RegExp) => typeof fileType === "string" && kind.test(fileType);
  const isFace = FACES.includes(String(idDocType));
  if (is(PAPER)) return "document_file";
  if (is(VIDEO) || idDocType === "VIDEO_SELFIE") return isFace ? "face_video" : "document_video";
  return isFace ? "face_image" : "document_image";
}

/**
 * The files of a dossier, each once: the images of all attempts, of which Sumsub keeps those that are no longer active;
 * those of later actions; and the recordings of video calls, which come some minutes after the call. Previews are
 * smaller copies, and left out.
 */
export function filesOf(applicant: Members, { images, actions, inspection }: Gathering): FileRef[] {
  const found = new Map<string, FileRef>();
  const add = (
    id: string,
    resource: string | undefined,
    of: Omit<FileRef, "id" | "resource" | "updated">,
    at: unknown,
  ) => {
    if (resource === undefined || found.has(`${resource} ${id}`)) return;
    found.set(`${resource} ${id}`, { id, resource, ...of, updated: timeOf(at) ?? "1970-01-01T00:00:00Z" });
  };
  const inspected = idOf(applicant.inspectionId);
  for (const { id, idDocDef, fileMetadata, addedDate } of images) {
    const image = idOf(id);
    const { idDocType, idDocSubType } = object(idDocDef);
    const type = typeOf(object(fileMetadata).fileType, idDocType);
    if (image !== undefined) add(image, inspected, { type, page: SIDES[word(idDocSubType) ?? ""] ?? null }, addedDate);
  }
  for (const action of actions) {
    for (const each of list(action.images).map(object)) {
      const image = idOf(each.imageId ?? each.id);
      const type = typeOf(each.mimeType, object(each.idDocDef).idDocType);
      if (image !== undefined) add(`action/${image}`, idOf(action.id), { type, page: null }, each.addedDate);
    }
  }
  for (const call of list(object(inspection.videoIdentData).compositions).map(object)) {
    const media = idOf(call.compositionMediaId);
    if (media !== undefined)
      add(`call/${media}`, inspected, { type: "call_video", page: null }, call.compositionCreatedAt);
  }
  return [...found.values()];
}
