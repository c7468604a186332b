import { checkSignature, FOR_RETRIEVAL } from "../approval/signature.ts";
import { HoldfastError } from "../core/error.ts";
import { parseApprover } from "../core/ssh-key.ts";
import { Json } from "./json.ts";
import type { ShownEntry } from "./log-entry.ts";
import { commitmentOf, type Retrieval } from "./retrieval.ts";

/** What a second person approved, and their signature over it: untrusted bytes. */
export interface ApprovedRequest {
  readonly request: Uint8Array;
  readonly sha256: string;
  readonly signature: Uint8Array;
}

/** That a second person signed for this very retrieval, with the key that the log names, and in time. */
export async function checkApproval(
  { request, sha256, signature }: ApprovedRequest,
  { json: entry, time }: ShownEntry,
  { subjects, client }: Retrieval,
  origin: string,
): Promise<string> {
  const asked = parseRequest(request);
  const named = new Set(asked.subjects);
  if (
    sha256 !== entry.member("request").value ||
    asked.client !== client ||
    asked.origin !== origin ||
    (await commitmentOf(asked)) !== entry.member("commitment").value ||
    !subjects.every(({ subject }) => named.has(subject))
  )
    throw new HoldfastError("unverified", "The log recorded a different request as approved.");
  const at = Date.parse(time);
  if (!(Date.parse(asked.made) <= at && at < Date.parse(asked.expires)))
    throw new HoldfastError("unverified", "The request was not made within the seven days before the bag.");
  const approver = parseApprover(entry.member("approvedBy").text());
  if (checkSignature(request, signature, approver, FOR_RETRIEVAL) !== "good")
    throw new HoldfastError("unverified", "The key that the log names did not sign it.");
  return `A second person signed for exactly this retrieval, with the key ${approver.fingerprint}. Ask whose key that is.`;
}

const VALID = 7 * 24 * 60 * 60 * 1000;
const SECOND = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;
const SUBJECT = /^[0-9a-f]{32}$/;

/** Refuses bytes that are not exactly what `retrieve` writes (bag/request.ts): no member twice, and none besides. */
function parseRequest(bytes: Uint8Array) {
  const json = Json.parse(bytes, "request.json");
  const text = (name: string) => json.member(name).text();
  const of = json.member("versions");
  const made = json.member("made").text(20, SECOND);
  const request = {
    holdfast: json.member("holdfast").text(40, /^retrieval-request\/1$/),
    client: text("client"),
    origin: text("origin"),
    case: text("case"),
    requestedBy: text("requestedBy"),
    reason: text("reason"),
    subjects: json
      .member("subjects")
      .items(50_000)
      .map((subject) => subject.text(32, SUBJECT)),
    versions:
      typeof of.value === "string" ? of.text(6, /^(all|latest)$/) : { asOf: of.member("asOf").text(40, INSTANT) },
    made,
    expires: new Date(Date.parse(made) + VALID).toISOString().replace(".000Z", "Z"),
    salt: json.member("salt").text(64, /^[0-9a-f]{64}$/),
  };
  const written = new TextEncoder().encode(`${JSON.stringify(request, null, 2)}\n`);
  const once = new Set(request.subjects).size === request.subjects.length;
  if (once && written.length === bytes.length && written.every((byte, at) => byte === bytes[at])) return request;
  throw new HoldfastError("malformed", "The request is not, to the byte, one as retrieve writes it.");
}
