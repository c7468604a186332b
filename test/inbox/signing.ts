import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import type { SchemeName } from "../../src/config/webhook.ts";

/** Signs as each provider's documentation says, written apart from the program. */
export type Signed = { headers: Record<string, string>; body: Buffer };

const hex = (algorithm: string, key: string, ...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hmac, part) => hmac.update(part), createHmac(algorithm, key)).digest("hex");

export const SECRETS: Readonly<Record<SchemeName, readonly [string, string]>> = {
  persona: ["wbhsec_test-1", "wbhsec_test-2"],
  stripe: ["whsec_sandbox", "whsec_older"],
  onfido: ["_ABC123abc123ABC123abc123ABC123_", "_other"],
  "sumsub-sha256": ["hook-secret", "hook-older"],
  "sumsub-sha512": ["hook-secret", "hook-older"],
  veriff: ["sandbox-secret", "sandbox-older"],
  passbase: ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"],
  "standard-webhooks": [
    `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
    `whsec_${Buffer.alloc(24, 9).toString("base64")}`,
  ],
};

/** @param at in seconds since 1970 */
export function sign(scheme: SchemeName, secret: string, text: string, at: number, id = "msg_1"): Signed {
  const body = Buffer.from(text);
  const json = { "content-type": "application/json" };
  const stamped = (name: string) => ({ ...json, [name]: `t=${at},v1=${hex("sha256", secret, `${at}.`, body)}` });
  switch (scheme) {
    case "persona":
      return { body, headers: stamped("persona-signature") };
    case "stripe":
      return { body, headers: stamped("stripe-signature") };
    case "onfido":
      return { body, headers: { ...json, "x-sha2-signature": hex("sha256", secret, body) } };
    case "sumsub-sha256":
    case "sumsub-sha512":
      return { body, headers: { ...json, "x-payload-digest": hex(scheme.slice(7), secret, body) } };
    case "veriff":
      return { body, headers: { ...json, "x-hmac-signature": hex("sha256", secret, body) } };
    case "passbase": {
      const iv = randomBytes(16);
      const cipher = createCipheriv("aes-256-cbc", secret, iv);
      const bytes = Buffer.concat([iv, cipher.update(body), cipher.final()]);
      return { body: Buffer.from(bytes.toString("base64")), headers: { "content-type": "text/plain" } };
    }
    case "standard-webhooks": {
      const hmac = createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
        .update(`${id}.${at}.`)
        .update(body);
      return {
        body,
        headers: {
          ...json,
          ...{ "webhook-id": id, "webhook-timestamp": String(at) },
          "webhook-signature": `v1,${hmac.digest("base64")}`,
        },
      };
    }
  }
}

/** An event of each scheme's provider that names this id. */
export function eventOf(scheme: SchemeName, id: string, event = "evt_1"): string {
  switch (scheme) {
    case "persona":
      return JSON.stringify({
        data: {
          ...{ type: "event", id: event },
          attributes: { name: "inquiry.approved", payload: { data: { type: "inquiry", id } } },
        },
      });
    case "onfido":
      return JSON.stringify({
        payload: { resource_type: "workflow_run", action: "workflow_run.completed", resource: { applicant_id: id } },
        event,
      });
    case "sumsub-sha256":
    case "sumsub-sha512":
      return JSON.stringify({ applicantId: id, type: "applicantReviewed", correlationId: event });
    case "veriff":
      return JSON.stringify({ id, attemptId: event, code: 7002, action: "submitted" });
    case "passbase":
      return JSON.stringify({ event: "VERIFICATION_COMPLETED", key: id, created: event });
    default:
      return JSON.stringify({
        ...{ id: event, object: "event", type: "identity.verification_session.verified" },
        data: { object: { object: "identity.verification_session", id } },
      });
  }
}
