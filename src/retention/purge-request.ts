import * as z from "zod";
import { type ReadRequest, readExactly, requestText, timesOf } from "../approval/request.ts";
import type { Policy } from "../audit/entry.ts";

const text = z.string().max(500);
const count = z.int().min(0);
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);
const instant = z.string().transform((value) => Temporal.Instant.from(value));
const schema = z.object({
  holdfast: z.literal("purge-request/1"),
  client: text,
  /** The log's name. */
  origin: text,
  /** The log's public key: two vaults may have logs of the same name. */
  log: text,
  /** What is destroyed, and the days until when the first and the last of it had to be kept. */
  people: count,
  records: count,
  files: count,
  bytes: count,
  dueFirst: day,
  dueLast: day,
  /** Of them, the people whose relationship is said to have ended before they were first verified. */
  verifiedLater: count,
  /** The rules by which it is due. */
  policy: z.record(text, z.string().max(100)),
  subjects: z
    .array(z.string().regex(/^[0-9a-f]{32}$/))
    .min(1)
    .refine((subjects) => new Set(subjects).size === subjects.length),
  /** The `agreedName` of each object that was due. */
  objects: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1),
  made: instant,
  expires: instant,
});

/** What a second person approves: that these objects, which were due when it was made, are destroyed. Nothing in it is personal. */
export type PurgeRequest = z.output<typeof schema>;

export function formatPurgeRequest(
  request: Omit<PurgeRequest, "holdfast" | "made" | "expires">,
  made: Temporal.Instant,
): string {
  const { client, origin, log, people, records, files, bytes, dueFirst, dueLast, verifiedLater } = request;
  const { policy, subjects, objects } = request;
  const figures = { people, records, files, bytes, dueFirst, dueLast, verifiedLater };
  const members = {
    holdfast: "purge-request/1",
    client,
    origin,
    log,
    ...figures,
    policy: sorted(policy),
    subjects,
    objects,
  };
  return requestText({ ...members, ...timesOf(made) });
}

/** Untrusted bytes. Throws `malformed` unless they are, to the byte, what `formatPurgeRequest` writes. */
export function parsePurgeRequest(bytes: Uint8Array): ReadRequest<PurgeRequest> {
  return readExactly(
    bytes,
    (value) => schema.parse(value),
    (request) => formatPurgeRequest(request, request.made),
  );
}

function sorted(policy: Policy): Policy {
  return Object.fromEntries(Object.entries(policy).sort(([one], [other]) => (one < other ? -1 : 1)));
}
