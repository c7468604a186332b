import { createCipheriv, createHmac, randomBytes, randomUUID } from "node:crypto";
import type { SchemeName } from "../config/webhook.ts";
import type { ApiKind } from "../provider/provider.ts";

/** A webhook as a provider sends it. */
export interface SignedEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const JSON_BODY = { "content-type": "application/json" };

/**
 * An event about an id that no one has, signed as the scheme's provider signs. It does not share the code that verifies, so
 * that a mistake in that shows.
 */
export function signedEvent(kind: ApiKind, scheme: SchemeName, key: Uint8Array, now: Temporal.Instant): SignedEvent {
  const body = Buffer.from(JSON.stringify(eventOf(kind)));
  const time = String(Math.floor(now.epochMilliseconds / 1000));
  const hmac = (digest: string, ...parts: (string | Uint8Array)[]) =>
    parts.reduce((sum, part) => sum.update(part), createHmac(digest, key)).digest();
  const hex = (digest: string, ...parts: (string | Uint8Array)[]) => hmac(digest, ...parts).toString("hex");
  const signed = (headers: Readonly<Record<string, string>>) => ({ body, headers: { ...JSON_BODY, ...headers } });
  switch (scheme) {
    case "persona":
    case "stripe":
      return signed({ [`${scheme}-signature`]: `t=${time},v1=${hex("sha256", time, ".", body)}` });
    case "onfido":
      return signed({ "x-sha2-signature": hex("sha256", body) });
    case "sumsub-sha256":
      return signed({ "x-payload-digest": hex("sha256", body) });
    case "sumsub-sha512":
      return signed({ "x-payload-digest": hex("sha512", body) });
    case "veriff":
      return signed({ "x-hmac-signature": hex("sha256", body) });
    case "standard-webhooks": {
      const id = `msg_${randomUUID()}`;
      const signature = `v1,${hmac("sha256", id, ".", time, ".", body).toString("base64")}`;
      return signed({ "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature });
    }
    case "passbase": {
      const iv = randomBytes(16);
      const cipher = createCipheriv("aes-256-cbc", key, iv);
      const sealed = Buffer.concat([iv, cipher.update(body), cipher.final()]);
      return { body: Buffer.from(sealed.toString("base64")), headers: { "content-type": "text/plain" } };
    }
  }
}

/** The least that each provider's event says. */
function eventOf(kind: ApiKind): object {
  const id = randomUUID();
  switch (kind) {
    case "passbase":
      return { event: "VERIFICATION_COMPLETED", key: id };
    case "persona": {
      const payload = { data: { type: "inquiry", id: `inq_${id}` } };
      return { data: { type: "event", id: `evt_${id}`, attributes: { name: "inquiry.completed", payload } } };
    }
    case "stripe": {
      const object = { object: "identity.verification_session", id: `vs_${id}` };
      return { id: `evt_${id}`, type: "identity.verification_session.verified", data: { object } };
    }
    case "onfido":
      return { payload: { resource_type: "applicant", action: "applicant.completed", object: { id } } };
    case "sumsub":
      return { applicantId: id, type: "applicantReviewed" };
    case "veriff":
      return { id, code: 7002, action: "submitted" };
  }
}
