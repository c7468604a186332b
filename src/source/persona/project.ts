import type { Secret } from "../../config/secret.ts";
import { HoldfastError, hasCode } from "../../core/error.ts";
import type { AnswerHeaders } from "../answer-headers.ts";
import type { Call } from "../http.ts";
import type { Project } from "../source.ts";
import { inquiriesCall } from "./calls.ts";

type Ask = (call: Call) => Promise<{ readonly headers: AnswerHeaders }>;

const RATE_LIMITS: Call = { name: "GET /rate-limits", path: "/rate-limits" };

/** Whose key it is: every answer names the environment and the organization, and the key's own prefix which of two. */
export async function projectOf(apiKey: Secret, ask: Ask): Promise<Project> {
  const call = inquiriesCall(1, null);
  const { headers } = await ask(call).catch(async (error: unknown) => {
    throw hasCode(error, "source-denied") ? await refused(call, ask) : error;
  });
  const [id, name] = [headers["persona-environment-id"], headers["persona-organization-id"]];
  if (typeof id !== "string" || typeof name !== "string") {
    throw new HoldfastError("source-response", `${call.name}: the answer does not say whose environment it is`, {
      hint: "Check source.url: this is not Persona's API, or a proxy removes the headers Persona-Environment-Id and Persona-Organization-Id.",
    });
  }
  const [, environment] = /^persona_(sandbox|production)_/.exec(apiKey.reveal()) ?? [];
  return { id, name, environment: environment ?? "unknown" };
}

/** Persona answers 403 to a key without the right, and to an address that is not on the key's list. */
async function refused({ name }: Call, ask: Ask): Promise<HoldfastError> {
  try {
    // Needs no right, so here only the address can be refused.
    await ask(RATE_LIMITS);
  } catch (error) {
    if (!hasCode(error, "source-denied")) throw error;
    return new HoldfastError("source-key", `${name}: Persona refuses this key from this address (403)`, {
      cause: error,
      hint: "Add this machine's address to the key's IP allow-list in Persona's dashboard (API Keys), or check that the account's quota is not used up.",
    });
  }
  return new HoldfastError("source-key", `${name}: the key lacks the permission inquiry.read (403)`, {
    hint: "Give the key this permission in Persona's dashboard (API Keys).",
  });
}
