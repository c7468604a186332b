import type { ClientConfig } from "./config.ts";
import type { SecretRef } from "./secret.ts";
import type { SourceConfig } from "./source-config.ts";
import { activeSources, webhookSources } from "./sources.ts";

/** The secrets that an export of this client needs, each with its config field. */
export function secretsOf({
  sources,
  lookups,
  log,
  notify: { healthchecks, webhook },
}: ClientConfig): readonly (readonly [field: string, SecretRef])[] {
  return [
    ...activeSources({ sources }).flatMap(({ name, apiKey }) =>
      apiKey === undefined ? [] : [[fieldOf(sources, name, "apiKey"), apiKey] as const],
    ),
    ...webhookSources({ sources }).flatMap(({ name, webhook }) =>
      webhook.secrets.map((secret, at, { length }) => {
        const field = length === 1 ? "webhook.secrets" : `webhook.secrets (number ${at + 1} of ${length})`;
        return [fieldOf(sources, name, field), secret] as const;
      }),
    ),
    ["lookups.key", lookups.key],
    ["log.key", log.key],
    ...(healthchecks ? [["notify.healthchecks", healthchecks] as const] : []),
    ...(webhook ? [["notify.webhook.url", webhook.url] as const, ["notify.webhook.key", webhook.key] as const] : []),
    ...(log.previousKey ? [["log.previousKey", log.previousKey] as const] : []),
  ];
}

/** Where a field of a source is in the config: people know a source by its name, and not by its place in the list. */
function fieldOf(sources: readonly SourceConfig[], name: string, field: string): string {
  return sources.length === 1 ? `source.${field}` : `${field} of source ${name}`;
}
