import { createHash } from "node:crypto";
import { z } from "zod";
import { HoldfastError } from "../../core/error.ts";
import { MAX_WORDS, type Request } from "../retrieval.ts";

/** From when it was made, a request may be signed and used for so long. */
export const VALID = Temporal.Duration.from({ hours: 7 * 24 });

/** Which versions of each subject: all, the newest, or the newest that the provider made until a time. */
export type Versions =
  | { readonly kind: "all" }
  | { readonly kind: "latest" }
  | { readonly kind: "as-of"; readonly at: Temporal.Instant };

const text = z.string().max(MAX_WORDS);
const instant = z.string().transform((value) => Temporal.Instant.from(value));
const versions = z.union([
  z.enum(["all", "latest"]).transform((kind): Versions => ({ kind })),
  z.object({ asOf: instant }).transform(({ asOf }): Versions => ({ kind: "as-of", at: asOf })),
]);
const schema = z.object({
  holdfast: z.literal("retrieval-request/1"),
  client: text,
  /** The log's name: a request holds for one vault. */
  origin: text,
  case: text,
  requestedBy: text,
  reason: text,
  subjects: z
    .array(z.string().regex(/^[0-9a-f]{32}$/))
    .min(1)
    .refine((subjects) => new Set(subjects).size === subjects.length),
  versions,
  made: instant,
  expires: instant,
  salt: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What a second person approves: exactly this retrieval, by a signature over the bytes of the file. */
export type RetrievalRequest = z.output<typeof schema>;

export interface ReadRequest {
  readonly request: RetrievalRequest;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export function formatRequest(
  request: Request & Pick<RetrievalRequest, "client" | "origin" | "subjects" | "versions" | "salt">,
  made: Temporal.Instant,
): string {
  const { client, origin, case: number, requestedBy, reason, subjects, versions: of, salt } = request;
  const time = (at: Temporal.Instant): string => at.toString({ smallestUnit: "second" });
  return `${JSON.stringify(
    {
      holdfast: "retrieval-request/1",
      client,
      origin,
      case: number,
      requestedBy,
      reason,
      subjects,
      versions: of.kind === "as-of" ? { asOf: of.at.toString() } : of.kind,
      made: time(made),
      expires: time(made.add(VALID)),
      salt,
    },
    null,
    2,
  )}\n`;
}

/**
 * Untrusted bytes. Throws `malformed` unless they are, to the byte, what `formatRequest` writes: whoever reads and signs
 * it sees each member once, and none that Holdfast passes over.
 */
export function parseRequest(bytes: Uint8Array): ReadRequest {
  try {
    const request = schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    // This also holds `expires` to its seven days.
    if (!Buffer.from(formatRequest(request, request.made)).equals(bytes)) throw new Error("written otherwise");
    return { request, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
  } catch (cause) {
    throw new HoldfastError("malformed", "this is no request for a retrieval, as retrieve writes it", { cause });
  }
}
