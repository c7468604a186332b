import * as z from "zod";
import { type ReadRequest as ReadAny, readExactly, requestText, timesOf } from "../approval/request.ts";
import { MAX_WORDS, type Request } from "./retrieval.ts";

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

export type ReadRetrievalRequest = ReadAny<RetrievalRequest>;

export function formatRequest(
  request: Request & Pick<RetrievalRequest, "client" | "origin" | "subjects" | "versions" | "salt">,
  made: Temporal.Instant,
): string {
  const { client, origin, case: number, requestedBy, reason, subjects, versions: of, salt } = request;
  return requestText({
    holdfast: "retrieval-request/1",
    client,
    origin,
    case: number,
    requestedBy,
    reason,
    subjects,
    versions: of.kind === "as-of" ? { asOf: of.at.toString() } : of.kind,
    ...timesOf(made),
    salt,
  });
}

/** Untrusted bytes. Throws `malformed` unless they are, to the byte, what `formatRequest` writes. */
export function parseRequest(bytes: Uint8Array): ReadRetrievalRequest {
  return readExactly(
    bytes,
    (value) => schema.parse(value),
    (request) => formatRequest(request, request.made),
  );
}
