import { ordered } from "../ordered.ts";

/** Tokens and links that Onfido makes again, and addresses that follow from an id. */
const OMITTED = new Set(["sdk_token", "link", "href", "download_href", "dashboard_url", "form_uri", "results_uri"]);
/** Names of parameters in signed URLs. */
const SIGNED = /^(x-amz-.*|x-goog-.*|signature|sig|token|expires|key-pair-id|policy)$/i;

/** An answer as it is compared: without what changes by itself, and with arrays sorted. */
export function comparable(value: unknown): unknown {
  return ordered(value, { text: unsigned, omits: (key) => OMITTED.has(key) });
}

function unsigned(text: string): string {
  const url = /^https?:\/\/[^ ]+\?/.test(text) ? URL.parse(text) : null;
  if (!url || ![...url.searchParams.keys()].some((name) => SIGNED.test(name))) return text;
  return url.origin + url.pathname;
}
