import { HoldfastError } from "../core/error.ts";
import { isKeyless } from "../provider/provider.ts";
import type { ClientConfig } from "./config.ts";
import type { ActiveSourceConfig, SourceConfig, WebhookSourceConfig } from "./source-config.ts";

/** Whether the source is asked. The schema makes sure that one that is not retired has a key, if it needs one. */
export function isActive(source: SourceConfig): source is ActiveSourceConfig {
  return !source.retired && (source.apiKey !== undefined || isKeyless(source.kind));
}

/** The sources that are not retired. */
export function activeSources({ sources }: Pick<ClientConfig, "sources">): readonly ActiveSourceConfig[] {
  return sources.filter(isActive);
}

/** The sources whose webhooks are received. */
export function webhookSources({ sources }: Pick<ClientConfig, "sources">): readonly WebhookSourceConfig[] {
  return sources.filter((source): source is WebhookSourceConfig => !source.retired && source.webhook !== undefined);
}

/** `acme-bank`, or `acme-bank, persona` where a client has several sources: how progress and summaries call it. */
export function placeOf({ id, sources }: Pick<ClientConfig, "id" | "sources">, source: string | null): string {
  return sources.length === 1 || source === null ? id : `${id}, ${source}`;
}

/** The sources that this command or run asks, in the config's order. */
export function askedSources(config: Pick<ClientConfig, "sources" | "only">): readonly ActiveSourceConfig[] {
  const { only } = config;
  return activeSources(config).filter(({ name }) => only === undefined || only.includes(name));
}

/** The retired sources that this command would ask. */
export function retiredSources({ sources, only }: Pick<ClientConfig, "sources" | "only">): readonly SourceConfig[] {
  return sources.filter(({ name, retired }) => retired && (only === undefined || only.includes(name)));
}

/**
 * The clients that have one of these sources, each limited to them. @throws HoldfastError "usage" for a name that no
 * client has.
 */
export function selectSources(
  clients: readonly ClientConfig[],
  names: readonly string[] = [],
): readonly ClientConfig[] {
  if (names.length === 0) return clients;
  const known = [...new Set(clients.flatMap(({ sources }) => sources.map(({ name }) => name)))];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const said = unknown.map((name) => JSON.stringify(name)).join(", ");
    throw new HoldfastError("usage", `no source is called ${said}`, { hint: `Name one of: ${known.join(", ")}.` });
  }
  return clients
    .map((client) => ({ ...client, only: names }))
    .filter(({ sources }) => sources.some(({ name }) => names.includes(name)));
}
