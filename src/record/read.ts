import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { parseKey } from "../vault/layout.ts";

/** The parts of a record that a reader needs to see whose it is, and to find and check its files. */
const schema = z.object({
  holdfast: z.enum(["record/1", "record/2"]),
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
    // Drop the parser's message: it may quote the record.
    throw new HoldfastError("malformed", "a record is not in the format record/1 or record/2", {
      hint: "Open it with age -d, or with the version of Holdfast that wrote it.",
    });
  }
}
