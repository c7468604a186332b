import { randomUUID } from "node:crypto";
import { hasCode } from "../../core/error.ts";
import type { SourceCheck } from "../source.ts";
import { decisionCall } from "./calls.ts";
import type { Ask } from "./gathering.ts";

/** @param askWrongly with a signature of another id */
export async function checkKey(askWrongly: Ask): Promise<SourceCheck[]> {
  return [
    await checkAddress(askWrongly),
    {
      outcome: "unknown",
      message:
        "Veriff lists no sessions, so what the integration gives could not be checked: a test integration gives no videos, and some older ones never give a result until Veriff's support changes them",
    },
  ];
}

/** Many a server answers 404 to anything, as Veriff does for a session that it does not have. */
async function checkAddress(askWrongly: Ask): Promise<SourceCheck> {
  const refused = await askWrongly(decisionCall(randomUUID())).then(
    () => false,
    (error: unknown) => {
      if (hasCode(error, "source-key")) return true;
      if (hasCode(error, "source-missing", "source-response")) return false;
      throw error;
    },
  );
  if (refused) return { outcome: "ok", message: "a wrong signature is refused, so the right one was checked" };
  return {
    outcome: "warning",
    message:
      "a wrong signature is not refused, so neither key nor address could be checked: at another server than Veriff's, everyone would seem to be gone",
    hint: "Check source.url: it must be the address that Veriff's Customer Portal shows for this integration, with /v1. If it is, export one session by its id: that shows whether the secret is right.",
  };
}
