import type { Rate } from "../../config/rate.ts";
import type { EndpointLimit, LimitMeant } from "../http-options.ts";
import type { Headers } from "../rate/rate-headers.ts";
import { CONTENTS, EVENTS, FILE, FILE_LINK, REPORTS, SESSION, SESSIONS } from "./calls.ts";

const EACH: Rate = { count: 20, per: 1_000 };
/** Stripe's own limits are 25/s for each endpoint and 20/s for files. The client's own product gets its share. */
export const ENDPOINTS: readonly EndpointLimit[] = [
  { names: [SESSION], rate: EACH, of: "sessions" },
  { names: [REPORTS], rate: EACH, of: "reports" },
  { names: [FILE, CONTENTS, FILE_LINK], rate: { count: 15, per: 1_000 }, of: "files", ofFiles: true },
  ...[SESSIONS, EVENTS].map((name) => ({ names: [name], rate: EACH })),
];

/** Which limit a 429 is about. Without a reason, another request has locked the object: that is about no limit. */
export function limitMeant({ "stripe-rate-limited-reason": reason }: Headers): LimitMeant | undefined {
  if (reason === undefined || reason === "resource-specific") return "none";
  if (reason === "global-rate" || reason === "global-concurrency") return "all";
  if (reason === "endpoint-rate" || reason === "endpoint-concurrency") return "endpoint";
  return undefined;
}
