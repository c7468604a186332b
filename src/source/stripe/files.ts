import type { FileRef } from "../../core/identity.ts";
import { object } from "../answer.ts";
import { fileIds, type VerificationReport } from "./answers.ts";

/** The files of all reports, the last attempt's first, each once: a selfie is compared with a picture of the document. */
export function filesOf(reports: readonly VerificationReport[]): FileRef[] {
  const found = new Map<string, FileRef>();
  for (const { id: resource, created: updated, members } of reports) {
    const add = (id: string, type: string, page: number | null) => {
      if (!found.has(id)) found.set(id, { id, resource, type, page, updated });
    };
    for (const [page, id] of fileIds(object(members.document).files).entries()) add(id, "document_image", page + 1);
    const { selfie, document } = object(members.selfie);
    for (const id of fileIds([selfie])) add(id, "face_image", null);
    for (const id of fileIds([document])) add(id, "document_image", null);
  }
  return [...found.values()];
}
