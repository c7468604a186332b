import type { ApiKind } from "../provider/provider.ts";

/** How a provider proves that a webhook is from it. `src/inbox/schemes/` has each. */
export const SCHEME_NAMES = [
  ...(["persona", "stripe", "onfido", "sumsub-sha256", "sumsub-sha512", "veriff", "passbase"] as const),
  "standard-webhooks",
] as const;

export type SchemeName = (typeof SCHEME_NAMES)[number];

/** The scheme of each kind of source, where the config names no other. */
export const USUAL_SCHEME: Readonly<Record<ApiKind, SchemeName>> = {
  passbase: "passbase",
  persona: "persona",
  stripe: "stripe",
  onfido: "onfido",
  sumsub: "sumsub-sha256",
  veriff: "veriff",
};
