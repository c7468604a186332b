import { Command } from "commander";
import { extendAll, refuseDue } from "../../jobs/retention.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const retentionCommand = new Command("retention").description("how long copies are kept").addCommand(
  command("extend", "extend the locks that end soon of what must be kept; the nightly export does it too", [
    "holdfast retention extend",
    "holdfast retention extend --client acme-bank --json",
  ]).action((options: CommonOptions) =>
    run(options, async (session) => {
      const clients = await extendAll(session);
      session.console.result({ command: "retention extend", clients });
      refuseDue(clients);
      session.signal.throwIfAborted();
    }),
  ),
);
