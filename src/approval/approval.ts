import type { Approver } from "../core/ssh-key.ts";
import type { ReadRequest, Timed } from "./request.ts";
import { checkSignature } from "./signature.ts";

/** That a second person approved what a request asks for: what they signed, how, and the public key it was checked with. */
export interface Approval<T extends Timed = Timed> extends ReadRequest<T> {
  readonly signature: Uint8Array;
  readonly approvedBy: string;
}

/** Why there is no approval, as the log says it. */
export type Refusal = "missing" | "bad-signature" | "not-listed" | "expired";

/** From the second it was made, for seven days; the second in which it expires is too late. */
export function isInTime({ made, expires }: Timed, at: Temporal.Instant): boolean {
  return Temporal.Instant.compare(made, at) <= 0 && Temporal.Instant.compare(at, expires) < 0;
}

/** No signature is longer. */
export const MAX_SIGNATURE = 16 * 1024;

/**
 * Holds a signature to those who may approve, and a request to its time.
 * @param namespace what the signature must be for, `ssh-keygen -Y sign -n …`
 */
export function approve<T extends Timed>(
  request: ReadRequest<T>,
  signature: Uint8Array,
  approvers: readonly Approver[],
  now: Temporal.Instant,
  namespace: string,
): Approval<T> | Refusal {
  if (signature.length > MAX_SIGNATURE) return "bad-signature";
  const results = approvers.map((approver) => ({
    approver,
    result: checkSignature(request.bytes, signature, approver, namespace),
  }));
  const good = results.find(({ result }) => result === "good");
  if (good === undefined) return results.some(({ result }) => result === "bad") ? "bad-signature" : "not-listed";
  if (!isInTime(request.request, now)) return "expired";
  return { ...request, signature, approvedBy: good.approver.key };
}
