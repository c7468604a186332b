import { randomUUID } from "node:crypto";
import { hasCode } from "../../core/error.ts";
import type { SourceCheck } from "../source.ts";
import { decisionCall } from "./calls.ts";
import type { Ask, Gathering } from "./gathering.ts";

/**
 * @param askWrongly with a signature of another id
 * @param ask for everything about someone: which answers were signed
 */
export async function checkKey(askWrongly: Ask, ask: AskSigned, known: readonly string[]): Promise<SourceCheck[]> {
  return [
    await checkAddress(askWrongly),
    await checkSignatures(ask, known),
    {
      outcome: "unknown",
      message:
        "Veriff lists no sessions, so what the integration gives could not be checked: a test integration gives no videos, and some older ones never give a result until Veriff's support changes them",
    },
  ];
}

type AskSigned = (session: string) => Promise<Gathering["signing"]>;

/** Veriff does not promise to sign each answer. One that lacks a signature among others that have it may have been changed. */
async function checkSignatures(ask: AskSigned, known: readonly string[]): Promise<SourceCheck> {
  for (const id of known) {
    const signing = await ask(id).catch((error: unknown) => {
      // Someone else may show it.
      if (!hasCode(error, "source-missing", "source-denied", "source-rejected")) throw error;
    });
    if (signing === undefined) continue;
    const unsigned = [...new Set(signing.unsigned)];
    if (signing.signed === 0)
      return {
        outcome: "unknown",
        message:
          "answers are not signed, so whether something between here and Veriff changes them could not be checked",
      };
    if (unsigned.length === 0)
      return { outcome: "ok", message: "answers are signed with the shared secret of this integration" };
    return {
      outcome: "warning",
      message: `answers to ${unsigned.join(", ")} are not signed, and others are: whether something changes them could not be checked`,
      hint: "Let each proxy pass the headers x-hmac-signature and vrf-hmac-signature. If there is no proxy, ask Veriff whether it signs these answers.",
    };
  }
  return { outcome: "unknown", message: "no session is known yet, so whether answers are signed could not be checked" };
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
