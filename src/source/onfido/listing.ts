import * as z from "zod";
import { HoldfastError } from "../../core/error.ts";
import { broken, checked, object, parseAnswer, plainId, time, tooMuch } from "../answer.ts";
import type { AnswerHeaders } from "../answer-headers.ts";
import { ListReader } from "../list-reader.ts";
import type { ListedIdentity } from "../source.ts";
import { parsed } from "./answers.ts";
import { APPLICANTS } from "./calls.ts";
import { comparable } from "./content.ts";

/** `created_at` is strict: the list has no other time. */
const entry = z.object({ id: plainId, created_at: time });
const frame = z.object({ applicants: z.array(z.unknown()).max(0) });

/** A page of applicants, with what its headers say. */
export interface ApplicantPage {
  readonly identities: readonly ListedIdentity[];
  readonly unread: readonly string[];
  readonly unreadable: number;
  readonly rows: number;
  /** The id of its first row that has one. */
  readonly first: string | undefined;
  /** How many applicants there are; undefined if the answer does not say so. */
  readonly total: number | undefined;
  readonly isLast: boolean;
}

/** A page read while it arrives. A broken entry does not prevent the export of the others. */
export async function readApplicantPage(
  chunks: AsyncIterable<Uint8Array>,
  headers: AnswerHeaders,
): Promise<ApplicantPage> {
  const reader = new ListReader("applicants");
  try {
    for await (const chunk of chunks) reader.push(chunk);
  } catch (error) {
    throw error instanceof RangeError ? tooMuch(APPLICANTS) : error;
  }
  const { rest, elements } = listOf(reader);
  // A second list, with "applicants" spelled with escapes, would be overlooked.
  checked(APPLICANTS, frame, rest);
  const identities: ListedIdentity[] = [];
  const unread: string[] = [];
  let first: string | undefined;
  for (const element of elements) {
    const raw = element.text === undefined ? undefined : attempt(element.text);
    const { success, data: read } = entry.safeParse(raw);
    const named = success
      ? read.id
      : plainId.safeParse(raw === undefined ? attempt(element.id ?? "") : object(raw).id).data;
    if (named === undefined) continue;
    first ??= named;
    if (!success) unread.push(named);
    else {
      const { created_at: created } = read;
      // The list tells neither how a check ended nor when. Whom it shows as deleted answers 410.
      const deleted = object(raw).delete_at != null;
      identities.push({ id: named, status: "unknown", created, updated: created, raw: comparable(raw), deleted });
    }
  }
  return {
    ...{ identities, unread, unreadable: elements.length - identities.length - unread.length },
    ...{ rows: elements.length, first, total: totalOf(headers), isLast: isLast(headers, elements.length) },
  };
}

function listOf(reader: ListReader) {
  try {
    const { frame: text, elements } = reader.finish();
    return { rest: parseAnswer(APPLICANTS, text), elements };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw broken(APPLICANTS, "the answer is not UTF-8");
  }
}

/** Undefined if it is not valid JSON, or too large. */
function attempt(text: string): unknown {
  try {
    return parsed("", text);
  } catch {
    return undefined;
  }
}

function totalOf({ "x-total-count": total = "" }: AnswerHeaders): number | undefined {
  return /^\d{1,12}$/.test(total) ? Number(total) : undefined;
}

/** Without both headers, as behind a proxy that takes them away, only an empty page is the last. */
function isLast(headers: AnswerHeaders, rows: number): boolean {
  if (headers.link !== undefined) return !hasNext(headers);
  return totalOf(headers) !== undefined || rows === 0;
}

/** Only whether there is one: the address itself is not used. */
export function hasNext({ link = "" }: AnswerHeaders): boolean {
  return /;\s*rel="?next"?/i.test(link);
}
