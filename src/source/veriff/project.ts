import { randomUUID } from "node:crypto";
import { hasCode } from "../../core/error.ts";
import { broken } from "../answer.ts";
import type { Project } from "../source.ts";
import { parseDecision } from "./answers.ts";
import { DECISION, decisionCall } from "./calls.ts";
import type { Ask } from "./gathering.ts";

/**
 * No answer names the integration or says whether it is a test one, so its public key is the project. A request that is
 * refused shows a wrong secret: for a session that no one has, Veriff first checks the signature. A 404 counts only in
 * Veriff's own form: any server at a wrong address answers 404.
 */
export async function projectOf(integrationKey: string, ask: Ask): Promise<Project> {
  const unused = randomUUID();
  try {
    const { text } = await ask(decisionCall(unused));
    // Older integrations may answer null about every session.
    if (parseDecision(text, unused).verification !== null) throw broken(DECISION, "the answer is for another session");
  } catch (error) {
    if (!hasCode(error, "source-missing")) throw error;
  }
  return { id: `veriff ${integrationKey}`, name: `Veriff ${integrationKey}`, environment: "unknown" };
}
