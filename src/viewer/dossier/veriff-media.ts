import { text } from "./answers.ts";
import type { FileName } from "./dossier.ts";

/** What Veriff's contexts show, in the order in which a person looks at them. */
const CONTEXTS: Readonly<Record<string, string>> = {
  "document-front": "Document, front",
  "document-back": "Document, back",
  "document-front-qrcode": "Document, QR code on the front",
  "document-back-qrcode": "Document, QR code on the back",
  "document-back-barcode": "Document, barcode on the back",
  "generic-document-front": "Other document",
  "document-front-face-cropped": "Face on the document",
  "document-nfc": "Data from the document's chip",
  "face-nfc": "Face from the document's chip",
  face: "Face",
  "face-cropped": "Face, cropped",
  "face-reference": "Face to compare with",
  "registry-face": "Face from a registry",
  "document-and-face": "Document and face",
  "address-front": "Proof of address, front",
  "address-back": "Proof of address, back",
};
const ORDER = Object.keys(CONTEXTS);

/** What a medium shows, and where it comes among those of its attempt. A context that is not known is the provider's word. */
export function shownBy(context: unknown, isVideo = false): FileName & { readonly place: number } {
  const word = text(context) ?? "";
  const isFirst = word.endsWith("-pre");
  const kind = isFirst ? word.slice(0, -"-pre".length) : word;
  const known = Object.hasOwn(CONTEXTS, kind) ? CONTEXTS[kind]! : undefined;
  const title = [known ?? (word === "" ? "A file" : ""), isVideo ? "video" : "", isFirst ? "first capture" : ""];
  const at = known === undefined ? ORDER.length : ORDER.indexOf(kind);
  return {
    ...(known === undefined && word !== "" ? { of: kind } : {}),
    title: title.filter(Boolean).join(", "),
    place: 2 * at + Number(isFirst),
  };
}
