import { createHash } from "node:crypto";
import * as z from "zod";
import { version } from "../audit/entry-fields.ts";
import { HoldfastError } from "../core/error.ts";
import { isInstant } from "../core/timestamp.ts";
import { canonicalJson } from "../record/canonical.ts";

/** Characters of the longest of the request's words. */
export const MAX_WORDS = 2000;
const text = z.string().max(MAX_WORDS);
const index = z.int().min(0);
const subject = z.string().regex(/^[0-9a-f]{32}$/);

const schema = z.object({
  holdfast: z.literal("bag/1"),
  client: text,
  /** Why, in the words of the one who asked. Personal, perhaps; the log has a commitment to them only. */
  case: text,
  requestedBy: text,
  reason: text,
  /** RFC 3339 UTC. */
  prepared: z.string().refine(isInstant),
  salt: z.string().regex(/^[0-9a-f]{64}$/),
  /** Log entries of this retrieval. */
  retrieval: z.array(index).min(1),
  subjects: z.array(
    z.object({
      subject,
      /** Versions in the bag, oldest first: the entry that stored each. */
      records: z.array(z.object({ version, entry: index })),
      /** Log entries that speak of this subject, this retrieval's included. */
      trail: z.array(index),
    }),
  ),
});

/** What a bag holds, and for whom it was made: `evidence/retrieval.json`. */
export type Retrieval = z.output<typeof schema>;
export type Request = Pick<Retrieval, "case" | "requestedBy" | "reason">;

/** The log has this in the place of a request's words: it gives nothing away of them. */
export function commitment(request: Request, salt: string): string {
  const { case: number, requestedBy, reason } = request;
  return createHash("sha256")
    .update(canonicalJson({ case: number, requestedBy, reason, salt }))
    .digest("hex");
}

/** Untrusted text. Throws `malformed`. */
export function parseRetrieval(json: string): Retrieval {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new HoldfastError("malformed", "evidence/retrieval.json is not what a retrieval writes", { cause });
  }
}
