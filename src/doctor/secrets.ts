import { secretsOf } from "../config/client-secrets.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { fileAt } from "../io/is-there.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("secrets");

/** Whether each secret can be had, whether others can have it too, and whether its file is named like something to delete. */
export async function checkSecrets(config: ClientConfig, isNew: boolean): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [field, secret] of secretsOf(config)) {
    if (isNew && (await isToBeMade(config, secret))) continue;
    found.push(...checkName(field, secret));
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

/** Whether `init` will write this key: a file that is not there yet. */
export async function isToBeMade({ lookups, log }: ClientConfig, secret: SecretRef): Promise<boolean> {
  if (secret !== lookups.key && secret !== log.key) return false;
  return secret.path !== undefined && (await fileAt(secret.path).catch(() => null)) === undefined;
}

/** Until version 0.1 the documentation itself named the log's key so. */
function checkName(field: string, { path, reference }: SecretRef): Finding[] {
  if (path === undefined || !/\.log$/i.test(path)) return [];
  const text = `${reference}: a key is in a file named *.log, which scripts that clean up delete, and backups leave out`;
  return [
    warning(text, `Rename the file (mv ${path} ${path}-key) and write ${reference}-key as ${field} in the config.`),
  ];
}
