import * as z from "zod";
import type { Secret } from "../../config/secret.ts";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { checked, object, parseAnswer } from "../answer.ts";
import type { Project } from "../source.ts";
import { id, told } from "./answers.ts";
import { ACCOUNT, sessionsCall } from "./calls.ts";
import type { Ask } from "./gathering.ts";

/**
 * Whose key it is. A test key and a live key of one account see separate worlds, so the world is part of the id. A key
 * that may not read the account is known by the account in the config.
 */
export async function projectOf(apiKey: Secret, account: string | undefined, ask: Ask): Promise<Project> {
  const [, world] = /^[rs]k_(test|live)_/.exec(apiKey.reveal()) ?? [];
  const environment = world === "test" ? "sandbox" : world === "live" ? "production" : "unknown";
  const of = (who: string, name: string): Project => ({ id: `${who} ${world ?? "unknown"}`, name, environment });
  let text: string;
  try {
    text = await ask(ACCOUNT);
  } catch (error) {
    if (!hasCode(error, "source-denied")) throw error;
    await checkSessions(ask);
    if (account !== undefined) return of(account, account);
    // People are tied to the account's id: without it, they would seem new as soon as the key may read it.
    throw new HoldfastError("source-key", `${ACCOUNT.name}: the key may not read which account it belongs to (403)`, {
      cause: error,
      hint: "Give the restricted key read access to the account in Stripe's dashboard (API keys), or set source.account to its id (acct_…).",
    });
  }
  const value = parseAnswer(ACCOUNT.name, text);
  const { id: who } = checked(ACCOUNT.name, z.object({ id }), value);
  const { business_profile: profile, settings } = object(value);
  const name = told(object(profile).name) ?? told(object(object(settings).dashboard).display_name);
  return of(who, name ?? who);
}

/** The account is not needed, sessions are. */
async function checkSessions(ask: Ask): Promise<void> {
  const call = sessionsCall(1, null);
  try {
    await ask(call);
  } catch (error) {
    if (!hasCode(error, "source-denied")) throw error;
    throw new HoldfastError("source-key", `${call.name}: Stripe refuses the key (403)`, {
      cause: error,
      hint: "Give the restricted key Verification Sessions and Reports: Read, and add this machine's address to its IP allow-list, in Stripe's dashboard (API keys). For a connected account, check source.account.",
    });
  }
}
