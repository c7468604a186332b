import type { DossierView, FileName } from "./dossier/dossier.ts";
import { foreign } from "./element.ts";
import { cut } from "./format.ts";
import { label } from "./label.ts";

/** Types of Holdfast's own, in the order in which a person looks at them. */
const TYPES: Readonly<Record<string, { readonly title: string; readonly rank: number }>> = {
  document_image: { title: "Document", rank: 0 },
  document_file: { title: "File of the document", rank: 1 },
  chip_image: { title: "Face from the document's chip", rank: 1 },
  field_file: { title: "File that the person uploaded", rank: 1 },
  face_image: { title: "Face", rank: 2 },
  face_video: { title: "Video of the face", rank: 3 },
  document_video: { title: "Video of the document", rank: 3 },
  call_video: { title: "Recording of the video call", rank: 3 },
  case_file: { title: "Attachment of a case", rank: 4 },
  evidence_file: { title: "Signed evidence", rank: 5 },
};
const OTHER = 4;

/** What is known of a file: a withheld one has no type and no page. */
interface KnownFile {
  readonly id: string;
  readonly resource: string;
  readonly type?: string;
  readonly page?: number | null;
}

/** A file's name: the page's words, but for `of`, which is the provider's. */
export interface Title extends FileName {
  /** Of all that has this name, in the order of the page; undefined for the only one. */
  readonly number?: number;
}

/** Files in the order in which a person looks at them, named, with the two sides of a document beside each other. */
export function inOrder<T extends KnownFile>(files: readonly T[], dossier: DossierView): { file: T; title: Title }[] {
  const all = files.map((file) => ({ file, title: titleOf(file, dossier) }));
  const groups = [...new Set(all.map(({ title }) => title.group))];
  const place = ({ file, title }: (typeof all)[number]) => [
    title.place ?? 0,
    TYPES[file.type ?? ""]?.rank ?? OTHER,
    groups.indexOf(title.group),
    file.page ?? Number.MAX_SAFE_INTEGER,
  ];
  const sorted = all.toSorted((one, other) => compare(place(one), place(other)));
  const same = Map.groupBy(sorted, ({ title }) => JSON.stringify([title.of, title.title]));
  return sorted.map((each) => {
    const alike = same.get(JSON.stringify([each.title.of, each.title.title]))!;
    return alike.length < 2 ? each : { ...each, title: { ...each.title, number: alike.indexOf(each) + 1 } };
  });
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at < 0 ? 0 : one[at]! - other[at]!;
}

function titleOf({ id, resource, type = "", page }: KnownFile, dossier: DossierView): Title {
  const name = dossier.fileName(id, resource);
  if (name !== undefined) return { group: resource, ...name };
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  const at = page == null ? "" : `, page ${page}`;
  if (known) return { group: resource, title: `${known.title}${at}` };
  return { group: resource, of: type === "" ? null : cut(type, 80), title: type === "" ? "A file" : at.slice(2) };
}

/** For eyes: the provider's word is set apart. */
export function shownTitle({ of, title, number }: Title): (Node | string)[] {
  const rest = [title, number === undefined ? "" : `(${number})`].filter((part) => part !== "").join(" ");
  if (of == null) return [rest];
  return [foreign(label(of), 80), ...(rest === "" ? [] : [`, ${rest}`])];
}

/** For an attribute. */
export function plainTitle(title: Title): string {
  return shownTitle(title)
    .map((part) => (typeof part === "string" ? part : part.textContent))
    .join("");
}
