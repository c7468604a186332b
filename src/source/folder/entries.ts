import { HoldfastError } from "../../core/error.ts";
import { parseAnswer } from "../answer.ts";
import { elementsOf, isArray } from "./elements.ts";
import { lineBreakOf, type Row, Rows } from "./rows.ts";
import { chunksOf, type OpenFile } from "./store.ts";
import { cellsOf, separatorOf } from "./table.ts";

export type EntryFormat = "JSON" | "JSON Lines" | "CSV";

/** Where an entry lies in its file. */
export interface EntryPlace {
  readonly at: number;
  readonly length: number;
  /** The line where it begins; the first one is 1. */
  readonly line: number;
}

/** An entry as it lies there, or why it is not one. Untrusted and personal; `why` is in words of ours. */
export type FolderEntry = EntryPlace &
  (
    | { readonly text: string; readonly value: unknown; readonly why?: undefined }
    | { readonly text?: undefined; readonly why: string }
  );

/** What it takes to read one row of a table again. */
export interface Header {
  /** With its line break. */
  readonly text: string;
  readonly separator: string;
  readonly columns: readonly string[];
}

/** Maximum size of one entry, in bytes; a JSON file is read as a whole. */
export const MAX_ENTRY = 16 * 1024 * 1024;
const MAX_ELEMENTS = 100_000;

const MIB = MAX_ENTRY / 1024 / 1024;

export function formatOf(name: string): EntryFormat | undefined {
  const [, extension = ""] = /\.([a-z]+)$/i.exec(name) ?? [];
  return { json: "JSON", jsonl: "JSON Lines", ndjson: "JSON Lines", csv: "CSV" }[extension.toLowerCase()] as
    | EntryFormat
    | undefined;
}

/**
 * The entries of a file, in groups, in their order, each with the bytes that it has there. Holds one entry, or one JSON
 * file. Throws a text, which says why the whole file has none.
 * @param watch is given all bytes of the file
 */
export async function* entriesOf(
  file: OpenFile,
  format: EntryFormat,
  {
    onHeader = () => {},
    watch = () => {},
  }: { onHeader?: (header: Header) => void; watch?: (bytes: Buffer) => void } = {},
): AsyncGenerator<readonly FolderEntry[]> {
  if (format === "JSON") {
    yield jsonEntries(await wholeOf(file, watch));
    return;
  }
  let rows = format === "CSV" ? undefined : new Rows(MAX_ENTRY, undefined);
  let header: Header | undefined;
  const read = (found: readonly Row[]): FolderEntry[] => {
    const entries: FolderEntry[] = [];
    for (const row of found) {
      if (isBlank(row)) continue;
      if (format === "JSON Lines") entries.push(entryOf(row));
      else if (header !== undefined) entries.push(rowOf(row, header));
      else {
        header = headerOf(row);
        onHeader(header);
      }
    }
    return entries;
  };
  for await (const chunk of chunksOf(file)) {
    watch(chunk);
    rows ??= tableRows(chunk.toString());
    yield read(rows.push(chunk));
  }
  if (rows) yield read(rows.end());
}

/** @param text how the table begins */
function tableRows(text: string): Rows {
  const [first = ""] = text.replace(/^\uFEFF?[\r\n]*/, "").split(/[\r\n]/, 1);
  return new Rows(MAX_ENTRY, separatorOf(first), lineBreakOf(text));
}

/** One entry again, from where it lies. */
export async function entryAt(file: OpenFile, place: EntryPlace, header: Header | undefined): Promise<FolderEntry> {
  const bytes = await file.read(place.at, place.length);
  await file.confirm();
  return header === undefined ? entryOf({ ...place, bytes }) : rowOf({ ...place, bytes }, header);
}

async function wholeOf(file: OpenFile, watch: (bytes: Buffer) => void): Promise<Buffer> {
  if (file.size > MAX_ENTRY) throw new Unfit(`is larger than ${MIB} MiB: write JSON Lines instead`);
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(file)) {
    watch(chunk);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Why a file has no entries: in words of ours. */
export class Unfit extends Error {}

function jsonEntries(whole: Buffer): FolderEntry[] {
  const mark = markLength(whole);
  const text = whole.subarray(mark);
  if (!isArray(text)) return [entryOf({ at: 0, length: whole.length, line: 1, bytes: whole })];
  const elements = elementsOf(text, MAX_ELEMENTS);
  if (elements === undefined)
    throw new Unfit(`is not a complete JSON array, or has more than ${MAX_ELEMENTS} elements`);
  return elements.map(({ at, length, line }) =>
    entryOf({ at: mark + at, length, line, bytes: text.subarray(at, at + length) }),
  );
}

/** The text is without a byte order mark, which belongs to the file. */
function entryOf({ at, length, line, bytes }: Row): FolderEntry {
  const place = { at, length, line };
  if (bytes === undefined) return { ...place, why: `is longer than ${MIB} MiB` };
  const text = textOf(at === 0 ? bytes.subarray(markLength(bytes)) : bytes);
  if (text === undefined) return { ...place, why: "is not UTF-8" };
  try {
    return { ...place, text, value: parseAnswer("", text) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { ...place, why: error.message.replace(/^: the answer /, "") };
  }
}

function headerOf({ at, bytes }: Row): Header {
  const text = bytes && textOf(at === 0 ? bytes.subarray(markLength(bytes)) : bytes);
  const separator = separatorOf(text ?? "");
  const columns = text === undefined ? undefined : cellsOf(text, separator);
  if (text === undefined || columns === undefined) throw new Unfit("has a first line that is no header in UTF-8");
  const named = columns.filter((name) => name !== "");
  if (new Set(named).size < named.length) throw new Unfit("has two columns of the same name");
  return { text: `${text}\n`, separator, columns };
}

function rowOf({ at, length, line, bytes }: Row, { text: header, separator, columns }: Header): FolderEntry {
  const place = { at, length, line };
  if (bytes === undefined) return { ...place, why: `is longer than ${MIB} MiB` };
  const text = textOf(bytes);
  if (text === undefined) return { ...place, why: "is not UTF-8" };
  const cells = cellsOf(text, separator);
  if (cells === undefined) return { ...place, why: "has a quotation mark in the wrong place" };
  if (cells.length !== columns.length)
    return { ...place, why: `has ${cells.length} cells, and the header has ${columns.length}` };
  const value = Object.fromEntries(columns.flatMap((name, at) => (name === "" ? [] : [[name, cells[at]]])));
  return { ...place, text: header + text, value };
}

function isBlank({ bytes }: Row): boolean {
  return bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ?? false;
}

function markLength(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
