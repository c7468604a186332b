import * as z from "zod";
import { HoldfastError } from "../../core/error.ts";
import { broken, checked, object, parseAnswer, tooMuch } from "../answer.ts";
import { type ListElement, ListReader } from "../list-reader.ts";
import type { Change, ListedIdentity, Page } from "../source.ts";
import { id, type Members, sessionOf, time, told, withoutSecrets } from "./answers.ts";
import { SENSITIVE_REPORT } from "./calls.ts";

const frame = z.object({ data: z.array(z.unknown()).max(0), has_more: z.boolean() });

/** A page of sessions, read while it arrives. A broken entry does not prevent the export of the others. */
export async function readSessionPage(name: string, chunks: AsyncIterable<Uint8Array>): Promise<Omit<Page, "whole">> {
  const { elements, more } = await listOf(name, chunks);
  const identities: ListedIdentity[] = [];
  const unread: string[] = [];
  let last: string | null = null;
  for (const element of elements) {
    const raw = contentOf(element);
    const named = idOf(element, raw);
    if (named === undefined) continue;
    last = named;
    try {
      const { id: read, created, updated, members } = sessionOf(name, raw);
      const status = told(members.status) ?? "unknown";
      identities.push({ id: read, created, updated, status, raw: listedSession(members) });
    } catch {
      unread.push(named);
    }
  }
  return {
    identities,
    unread,
    unreadable: elements.length - identities.length - unread.length,
    cursor: cursorOf(name, more, last),
  };
}

const event = z.object({ id, created: time, data: z.object({ object: z.object({ id }) }) });

/** A page of events: whose sessions they are about. An event about someone whose id is unreadable names no one. */
export async function readEventPage(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{
  readonly events: readonly string[];
  readonly changes: readonly Change[];
  readonly cursor: string | null;
}> {
  const { elements, more } = await listOf(name, chunks);
  const events: string[] = [];
  const changes: Change[] = [];
  for (const element of elements) {
    const raw = contentOf(element);
    const named = idOf(element, raw);
    if (named !== undefined) events.push(named);
    const { success, data } = event.safeParse(raw);
    // The next walk of the list shows whom it meant.
    if (success) changes.push({ id: data.data.object.id, at: data.created });
  }
  return { events, changes, cursor: cursorOf(name, more, events.at(-1) ?? null) };
}

function cursorOf(name: string, more: boolean, last: string | null): string | null {
  if (more && last === null) throw broken(name, "a page has no id to continue from");
  return more ? last : null;
}

async function listOf(name: string, chunks: AsyncIterable<Uint8Array>) {
  const reader = new ListReader();
  try {
    for await (const chunk of chunks) reader.push(chunk);
  } catch (error) {
    throw error instanceof RangeError ? tooMuch(name) : error;
  }
  try {
    const { frame: text, elements } = reader.finish();
    // A second list, with "data" spelled with escapes, would be overlooked.
    return { elements, more: checked(name, frame, parseAnswer(name, text)).has_more };
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw broken(name, "the answer is not UTF-8");
  }
}

function contentOf({ text }: ListElement): unknown {
  return text === undefined ? undefined : parsed(text);
}

function idOf(element: ListElement, raw: unknown): string | undefined {
  return id.safeParse(raw === undefined ? parsed(element.id ?? "") : object(raw).id).data;
}

/** Undefined if it is not valid JSON, or too large. */
function parsed(text: string): unknown {
  try {
    return parseAnswer("", text, 100);
  } catch {
    return undefined;
  }
}

/**
 * What the list shows of a session: it does not expand `verified_outputs`, and of the last report no sensitive member.
 * Without `url` and `client_secret`, which Stripe makes again for each answer.
 */
export function listedSession(session: Members): Members {
  const { last_verification_report: last, verified_outputs: _, ...rest } = withoutSecrets(session);
  return { ...rest, ...(last === undefined ? {} : { last_verification_report: listedReport(last) }) };
}

function listedReport(report: unknown): unknown {
  if (!isObject(report)) return report;
  const parts = Object.entries(object(report));
  return Object.fromEntries(parts.map(([part, value]) => [part, without(value, SENSITIVE_REPORT[part] ?? [])]));
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

function without(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value) || names.length === 0) return value;
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => !names.includes(name)));
}
