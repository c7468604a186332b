import { AuditLog } from "../src/audit/log.ts";
import { SignedLog } from "../src/audit/signed-log.ts";
import { catalogFile } from "../src/catalog/open-catalog.ts";
import { rebuildCatalog } from "../src/catalog/rebuild-catalog.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { bytes, number } from "../src/observe/format.ts";
import { openClientVault, type Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";

export const rebuildCommand = command("rebuild", "rebuild the local catalog from the log in the vault", [
  "holdfast rebuild",
])
  .addHelpText(
    "after",
    `
The catalog is this machine's index of the log. If it is missing or damaged, the next run rebuilds it on its own. Run
this command to test that it can be rebuilt, for example in a recovery. It changes nothing in the vault.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "rebuild", (onFailure) => rebuild(session, onFailure));
    }),
  );

/** Rebuilds the catalog from the log in the vault. Needs no key: the log's public key is in vault.json. */
export async function rebuild(session: Session, onFailure?: (failure: ClientFailure) => void) {
  const rebuildOne = async (config: ClientConfig) => {
    await using client = await openClientVault(config, session);
    const log = new AuditLog(client.vault, client.description.log.origin, client.verifiers);
    const head = await log.head();
    const path = catalogFile(config.state);
    using progress = session.console.progress(`${config.id}: log entries`);
    const catalog = await rebuildCatalog(path, new SignedLog(log, head), progress.update);
    progress.end();
    const counts = catalog.totals.counts();
    catalog.close();
    session.console.say(
      `${config.id}: catalog rebuilt from ${number(head.size)} log entries: ${number(counts.subjects)} subjects, ${number(counts.versions)} versions, ${number(counts.files)} files, ${bytes(counts.bytes)}`,
    );
    return { client: config.id, entries: head.size, ...counts };
  };
  return eachClient(session, rebuildOne, onFailure);
}
