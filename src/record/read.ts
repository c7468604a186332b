import { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import { parseKey } from "../vault/layout.ts";

/** What a reader needs of a record to see whose it is, and to find and check its files; all else is for people. */
const schema = z.object({
  holdfast: z.literal("record/1"),
  client: z.string(),
  /** A minimal record has no time. */
  identity: z.object({ updated: z.string().optional() }),
  files: z.array(
    z.object({
      type: z.string(),
      mediaType: z.string(),
      sha256: z.string().nullable(),
      key: z.string().refine((key) => parseKey(key)?.kind === "file"),
    }),
  ),
});

export type ReadRecord = z.output<typeof schema>;

/** The plain bytes of a sealed record. Throws `malformed`. */
export function parseRecord(plain: Uint8Array): ReadRecord {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain)));
  } catch {
    // What a parser says of it may repeat it.
    throw new HoldfastError("malformed", "a record is not of the form record/1", {
      hint: "Open it with age -d, or with the Holdfast that wrote it.",
    });
  }
}
