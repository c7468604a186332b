import { secretsOf } from "../config/client-secrets.ts";
import type { ClientConfig } from "../config/config.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("secrets");

/** Whether each secret can be had, and whether others can have it too. */
export async function checkSecrets(config: ClientConfig): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [field, secret] of secretsOf(config)) {
    try {
      await secret.resolve();
    } catch (error) {
      found.push(failed("secrets", error));
      continue;
    }
    const warnings = secret.warnings();
    found.push(
      ...(warnings.length > 0
        ? warnings.map((text) => warning(text, "A secret belongs to the user that runs Holdfast alone."))
        : [ok(`${field} is there (${secret})`)]),
    );
  }
  return found;
}
