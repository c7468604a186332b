import { secretsOf } from "../config/client-secrets.ts";
import type { ClientConfig } from "../config/config.ts";
import { loadConfig, selectClients } from "../config/load.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";

/** What is done with the clients of a config that was reloaded. */
export type Take = (clients: readonly ClientConfig[]) => void;

/**
 * On SIGHUP the config is reloaded, until disposed of. One that cannot be used, or a secret in it that cannot be had,
 * is refused with a line in the log, and what was there stays.
 * @param ids the clients that were named on the command line; undefined for all
 */
export function onHangup(
  { console: { log } }: Session,
  file: string,
  ids: readonly string[] | undefined,
  take: Take,
): Disposable {
  const reload = async (): Promise<void> => {
    try {
      const clients = await readAnew(file, ids);
      log.info("the config was reloaded", { count: clients.length });
      take(clients);
    } catch (error) {
      log.error("the config was not taken over: the one before stays", errorFields(error));
    }
  };
  let reading = Promise.resolve();
  const listener = (): void => {
    reading = reading.then(reload);
  };
  process.on("SIGHUP", listener);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", listener) };
}

async function readAnew(file: string, ids: readonly string[] | undefined): Promise<readonly ClientConfig[]> {
  const clients = selectClients(await loadConfig(file), ids);
  // None is kept: each run asks for them itself. What cannot be had is better known now than at night.
  for (const [, secret] of clients.flatMap(secretsOf)) await secret.resolve();
  return clients;
}
