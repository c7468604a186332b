import * as z from "zod";
import { HoldfastError } from "../../core/error.ts";
import { broken, checked, object, parseAnswer, plainId, time, tooMuch, word } from "../answer.ts";
import { ListReader } from "../list-reader.ts";
import type { ListedIdentity, Page } from "../source.ts";
import { comparable } from "./content.ts";

/** `updated-at` is strict: it names the version, and a retention period may count from it. */
const entry = z.object({
  id: plainId,
  attributes: z.object({ "updated-at": time, "created-at": time.nullish().catch(null) }),
});
const frame = z.object({ data: z.array(z.unknown()).max(0), links: z.object({ next: z.string().nullable() }) });

/** A page of inquiries. The cursor is the id of its last row. */
export type InquiryPage = Omit<Page, "whole">;

/** A page of the list or of a search, read while it arrives. A broken entry does not prevent the export of the others. */
export async function readInquiryPage(name: string, chunks: AsyncIterable<Uint8Array>): Promise<InquiryPage> {
  const reader = new ListReader();
  try {
    for await (const chunk of chunks) reader.push(chunk);
  } catch (error) {
    throw error instanceof RangeError ? tooMuch(name) : error;
  }
  const { rest, elements } = listOf(name, reader);
  // A second list, with "data" spelled with escapes, would be overlooked.
  const { links } = checked(name, frame, rest);
  const identities: ListedIdentity[] = [];
  const unread: string[] = [];
  let last: string | null = null;
  for (const element of elements) {
    const raw = element.text === undefined ? undefined : parsed(element.text);
    const { success, data: read } = entry.safeParse(raw);
    const named = success
      ? read.id
      : plainId.safeParse(raw === undefined ? parsed(element.id ?? "") : object(raw).id).data;
    if (named === undefined) continue;
    last = named;
    if (!success) {
      unread.push(named);
      continue;
    }
    const { "created-at": created, "updated-at": updated } = read.attributes;
    const status = word(object(object(raw).attributes).status) ?? "unknown";
    identities.push({ id: named, status, created: created ?? updated, updated, raw: comparable(raw) });
  }
  if (links.next !== null && last === null) throw broken(name, "a page has no id to continue from");
  return {
    identities,
    unread,
    unreadable: elements.length - identities.length - unread.length,
    cursor: links.next === null ? null : last,
  };
}

function listOf(name: string, reader: ListReader) {
  try {
    const { frame: text, elements } = reader.finish();
    return { rest: parseAnswer(name, text), elements };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw broken(name, "the answer is not UTF-8");
  }
}

/** Undefined if it is not valid JSON, or too large. */
function parsed(text: string): unknown {
  try {
    return parseAnswer("", text, 100);
  } catch {
    return undefined;
  }
}
