import type { ClientConfig } from "./config.ts";
import type { SecretRef } from "./secret.ts";

/** The secrets that an export of this client needs, each with its config field. */
export function secretsOf({
  source,
  lookups,
  log,
  notify: { healthchecks, webhook },
}: ClientConfig): readonly (readonly [field: string, SecretRef])[] {
  return [
    ["source.apiKey", source.apiKey],
    ["lookups.key", lookups.key],
    ["log.key", log.key],
    ...(healthchecks ? [["notify.healthchecks", healthchecks] as const] : []),
    ...(webhook ? [["notify.webhook.url", webhook.url] as const, ["notify.webhook.key", webhook.key] as const] : []),
    ...(log.previousKey ? [["log.previousKey", log.previousKey] as const] : []),
  ];
}
