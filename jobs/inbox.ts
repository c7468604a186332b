import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { onHangup } from "../src/session/reload.ts";

export const inboxCommand = command(
  "inbox",
  "receive the providers' webhooks until it is stopped; exports take what they name",
  [
    "holdfast inbox                     SIGHUP reloads the config",
    "holdfast inbox --client acme-bank   only this client's",
  ],
)
  .addHelpText(
    "after",
    `
It listens at inbox.listen for POST /hooks/<client>/<source>, for each source with a webhook in the config. A webhook that
its provider signed is a reason to look at someone: the next export asks the provider, or with \`inbox.export: at-once\` the
daemon within a minute. It needs the webhooks' secrets and
the lookup keys, and neither the vault nor a log key. \`export --schedule\` receives too: run this command where exports
are started by something else. Metrics are served at metrics.listen.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session, config) => {
      const { receiveUntilStopped } = await import("../src/session/receive-until-stopped.ts");
      await receiveUntilStopped(session, config, (take) => onHangup(session, config.file, options, take));
    }),
  );
