import type { Rate } from "../../config/rate.ts";
import type { Api } from "../http-options.ts";
import { AML_CASE } from "./calls.ts";

/** Sumsub allows 10 a minute. The client's own product gets its share. */
export const AML_RATE: Rate = { count: 8, per: 60_000 };

/**
 * AML cases have a limit of their own, hundreds of times lower than that of all requests. So a refused one says nothing
 * about the others, which would wait for it; Sumsub does not say which limit a refusal is about.
 */
export function limitsOf(amlRate: Rate = AML_RATE): Pick<Api, "endpoints" | "limitMeant"> {
  return { endpoints: [{ names: [AML_CASE], rate: amlRate, of: "AML cases" }], limitMeant: () => "endpoint" };
}
