import * as z from "zod";
import { HoldfastError } from "../core/error.ts";

/** The most characters of each of the words, and bytes of a sealed note. */
const MAX_WORDS = 2_000;
export const MAX_NOTE = 64 * 1024;

const text = z.string().max(MAX_WORDS);
const common = { holdfast: z.literal("note/1"), client: text, case: text, reason: text };
const schema = z.discriminatedUnion("about", [
  z.object({ ...common, about: z.literal("hold") }),
  z.object({
    ...common,
    about: z.literal("retrieval"),
    requestedBy: text,
    salt: z.string().regex(/^[0-9a-f]{64}$/),
  }),
]);

/** What a sealed note says: why something was done with someone's records, for the officer alone. */
export type Note = z.output<typeof schema>;
/** A note before it has a client: `storeNote` adds it. */
export type NoteWords = Note extends infer One ? (One extends Note ? Omit<One, "holdfast" | "client"> : never) : never;

/** Holds what it writes to what `parseNote` takes: a note under a lock that no one can read helps no one. */
export function encodeNote(client: string, words: NoteWords): Uint8Array {
  return Buffer.from(JSON.stringify(schema.parse({ holdfast: "note/1", client, ...words })));
}

/** Parses what someone sealed: anyone can. Throws `malformed`. */
export function parseNote(bytes: Uint8Array): Note {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    // No cause: it may repeat the words.
    throw new HoldfastError("malformed", "is not a note");
  }
}
