import { secretsOf } from "../config/client-secrets.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { fileAt } from "../io/is-there.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("secrets");

/** Checks that each secret is available, that no other user can read it, and that its file is not named like a log file. */
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
        ? warnings.map((text) => warning(text, "Only the user that runs Holdfast should be able to read it."))
        : [ok(`${field} is there (${secret})`)]),
    );
  }
  return found;
}

/** Whether `init` will write this key, because its file does not exist yet. */
export async function isToBeMade({ lookups, log }: ClientConfig, secret: SecretRef): Promise<boolean> {
  if (secret !== lookups.key && secret !== log.key) return false;
  return secret.path !== undefined && (await fileAt(secret.path).catch(() => null)) === undefined;
}

/** The documentation used such a name for the log key until version 0.1. */
function checkName(field: string, { path, reference }: SecretRef): Finding[] {
  if (path === undefined || !/\.log$/i.test(path)) return [];
  const text = `${reference}: this key is in a file named *.log, which cleanup scripts delete and backups leave out`;
  return [
    warning(text, `Rename the file (mv ${path} ${path}-key) and set ${field} to ${reference}-key in the config.`),
  ];
}
