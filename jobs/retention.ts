import { Command } from "commander";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { runId } from "../src/core/run-id.ts";
import type { Extended } from "../src/retention/extend.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openLog } from "../src/session/open-log.ts";
import { extendHeld, locksText, refuseDue } from "../src/session/retention-work.ts";
import { certificateCommand } from "./certificate.ts";
import { purgeCommand } from "./purge.ts";
import { purgesCommand } from "./purges.ts";

const extend = command(
  "extend",
  "extend locks that end soon on records that must be kept; the nightly export does this too",
  ["holdfast retention extend", "holdfast retention extend --client acme-bank --json"],
).action((options: CommonOptions) =>
  run(options, async (session) => {
    await tellClients(session, "retention extend", (onFailure) => extendAll(session, onFailure), {
      refuse: refuseDue,
    });
  }),
);

export const retentionCommand = new Command("retention")
  .description("how long copies are kept")
  .addCommand(extend)
  .addCommand(purgeCommand)
  .addCommand(purgesCommand)
  .addCommand(certificateCommand);

export interface ClientLocks extends Extended {
  readonly client: string;
}

/** Extends every client's locks that end soon. The nightly export does the same before it asks the provider anything. */
export async function extendAll(
  session: Session,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ClientLocks[]> {
  const extendOne = async (config: ClientConfig): Promise<ClientLocks> => {
    await using held = await openLog(config, session, { job: "retention" });
    const locks = await extendHeld(held, session, runId(held.now()));
    await held.stamp();
    session.console.say(`${config.id}: ${locksText(locks)}`);
    return { client: config.id, ...locks };
  };
  return eachClient(session, extendOne, onFailure);
}
