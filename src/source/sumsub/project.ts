import { HoldfastError, hasCode } from "../../core/error.ts";
import { broken } from "../answer.ts";
import type { Project } from "../source.ts";
import { parseObject } from "./answers.ts";
import { LEVELS, referenceCall } from "./calls.ts";
import type { Ask } from "./gathering.ts";

/** No one's reference. */
const NO_ONE = "holdfast-asks-whether-the-token-works";

/**
 * Sumsub has no endpoint that names an account. So a project is an address and whether it is the sandbox, which is the
 * token's beginning: two accounts of one client are told apart by the client's config alone. The request says that token
 * and secret belong together.
 */
export async function projectOf(api: string, appToken: string, ask: Ask): Promise<Project> {
  try {
    const { list, items } = parseObject(LEVELS.name, await ask(LEVELS));
    if (list === undefined && !Array.isArray(items)) throw broken(LEVELS.name, "the answer has no levels");
  } catch (error) {
    if (!hasCode(error, "source-denied")) throw error;
    await checkApplicants(ask);
  }
  const { hostname } = new URL(api);
  const environment = environmentOf(appToken);
  return { id: `sumsub ${hostname} ${environment}`, name: `Sumsub ${hostname}`, environment };
}

/** The levels are not needed, applicants are. A token that may view them is told that no one has this reference. */
async function checkApplicants(ask: Ask): Promise<void> {
  const call = referenceCall(NO_ONE);
  try {
    await ask(call);
  } catch (error) {
    if (hasCode(error, "source-missing")) return;
    if (!hasCode(error, "source-denied")) throw error;
    throw new HoldfastError("source-key", `${call.name}: Sumsub refuses the app token (403)`, {
      cause: error,
      hint: "Give the app token the permission \"View applicants\", and add this machine's address to its list of addresses, in Sumsub's dashboard.",
    });
  }
}

function environmentOf(appToken: string): string {
  if (appToken.startsWith("sbx:")) return "sandbox";
  return appToken.startsWith("prd:") ? "production" : "unknown";
}
