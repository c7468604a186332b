import { secretsOf } from "../config/client-secrets.ts";
import type { ClientConfig, Config, InboxConfig } from "../config/config.ts";
import { loadConfig, selectClients } from "../config/load.ts";
import { selectSources } from "../config/sources.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";

interface NamedOptions {
  readonly client?: readonly string[] | undefined;
  readonly source?: readonly string[] | undefined;
}

/** Receives the clients of a reloaded config, and its inbox. */
export type Take = (clients: readonly ClientConfig[], inbox: InboxConfig) => void;

/**
 * Reloads the config on SIGHUP, until disposed of. If the config is invalid, or one of its secrets is unavailable, logs
 * the reason and keeps the old config.
 * @param named the clients and sources named on the command line; undefined for all
 */
export function onHangup({ console: { log } }: Session, file: string, named: NamedOptions, take: Take): Disposable {
  const reload = async (): Promise<void> => {
    try {
      const { clients, inbox } = await readAnew(file, named);
      log.info("config reloaded", { count: clients.length });
      take(clients, inbox);
    } catch (error) {
      log.error("new config rejected; still using the previous one", errorFields(error));
    }
  };
  let reading = Promise.resolve();
  const listener = (): void => {
    reading = reading.then(reload);
  };
  process.on("SIGHUP", listener);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", listener) };
}

async function readAnew(file: string, { client, source }: NamedOptions): Promise<Pick<Config, "clients" | "inbox">> {
  const config = await loadConfig(file);
  const clients = selectSources(selectClients(config, client), source);
  // Secrets are not cached: each run reads them itself. This check finds missing ones now rather than at night.
  for (const [, secret] of clients.flatMap(secretsOf)) await secret.resolve();
  return { clients, inbox: config.inbox };
}
