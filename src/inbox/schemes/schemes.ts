import type { SchemeName } from "../../config/webhook.ts";
import { bodyDigest } from "./digest.ts";
import { passbase } from "./passbase.ts";
import type { Scheme } from "./scheme.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { timestamped } from "./timestamped.ts";

export const SCHEMES: Readonly<Record<SchemeName, Scheme>> = {
  persona: timestamped("persona-signature", { sets: true }),
  stripe: timestamped("stripe-signature", { sets: false }),
  onfido: bodyDigest(["x-sha2-signature"]),
  // Sumsub names its algorithm in a header, which is not asked: the config says which one it is.
  "sumsub-sha256": bodyDigest(["x-payload-digest"]),
  "sumsub-sha512": bodyDigest(["x-payload-digest"], { digest: "sha512" }),
  veriff: bodyDigest(["x-hmac-signature", "vrf-hmac-signature"], { anyCase: true }),
  passbase,
  "standard-webhooks": standardWebhooks,
};
