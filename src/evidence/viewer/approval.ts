import { parseApprover } from "../../config/approver.ts";
import { HoldfastError } from "../../error.ts";
import { checkSignature } from "../approval/signature.ts";
import { Json } from "./json.ts";
import type { LogEntry } from "./log-entry.ts";
import { commitmentOf, type Retrieval } from "./retrieval.ts";

/** What a second person approved, and their signature over it: untrusted bytes. */
export interface Approval {
  readonly request: Uint8Array;
  readonly sha256: string;
  readonly signature: Uint8Array;
}

/** That a second person signed for this very retrieval, with the key that the log names, and in time. */
export async function checkApproval(
  { request, sha256, signature }: Approval,
  { json: entry, time }: LogEntry,
  { subjects }: Retrieval,
): Promise<string> {
  const asked = Json.parse(request, "request.json");
  const text = (name: string) => asked.member(name).text();
  const words = { case: text("case"), requestedBy: text("requestedBy"), reason: text("reason"), salt: text("salt") };
  const named = new Set(
    asked
      .member("subjects")
      .items(50_000)
      .map(({ value }) => value),
  );
  if (
    sha256 !== entry.member("request").value ||
    (await commitmentOf(words)) !== entry.member("commitment").value ||
    !subjects.every(({ subject }) => named.has(subject))
  )
    throw new HoldfastError("unverified", "It is not the request that was logged as approved.");
  if (!(Date.parse(text("expires")) > Date.parse(time)))
    throw new HoldfastError("unverified", "The request was too old when the bag was made.");
  const approver = parseApprover(entry.member("approvedBy").text());
  if (checkSignature(request, signature, approver) !== "good")
    throw new HoldfastError("unverified", "It is not signed with the key that the log names.");
  return `A second person signed for exactly this retrieval, with the key ${approver.fingerprint}. Ask whose key that is.`;
}
