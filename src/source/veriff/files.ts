import type { FileRef } from "../../core/identity.ts";
import { byId } from "./answers.ts";
import type { Gathering } from "./gathering.ts";

/** A closed list: types are logged in clear text. `-pre` is the first capture, before the one that counts. */
const CONTEXTS = [
  ...["document-front", "document-back", "document-and-face", "document-nfc", "document"],
  ...["document-front-qrcode", "document-back-qrcode", "document-back-barcode", "generic-document-front"],
  ...["document-front-face-cropped", "face", "face-nfc", "face-cropped", "face-reference", "registry-face"],
  ...["address-front", "address-back", "selfid"],
].flatMap((context) => [context, `${context}-pre`]);

/** The media of all attempts, each once. Their ids never get other bytes; their order means nothing. */
export function filesOf({ attempts, media }: Gathering): FileRef[] {
  const found = new Map<string, FileRef>();
  for (const { id: attempt, created } of attempts)
    for (const { id, context } of media.get(attempt) ?? []) {
      const type = CONTEXTS.find((known) => known === context)?.replaceAll("-", "_") ?? "other";
      const updated = created ?? "1970-01-01T00:00:00Z";
      if (!found.has(id)) found.set(id, { id, resource: attempt, type, page: null, updated });
    }
  return [...found.values()].sort(byId);
}
