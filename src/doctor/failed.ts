import { HoldfastError } from "../core/error.ts";
import { type Finding, findings } from "./finding.ts";

/** What kept a check from its end, as its finding. A defect stays one. */
export function failed(check: string, error: unknown): Finding {
  if (!(error instanceof HoldfastError) || error.code === "interrupted") throw error;
  return findings(check).failure(error.message, error.mend);
}
