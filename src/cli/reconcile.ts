import { reconcile, refuseMissing } from "../../jobs/reconcile.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const reconcileCommand = command(
  "reconcile",
  "compare source and vault, and list what is missing on either side",
  ["holdfast reconcile", "holdfast reconcile --json | jq '.clients[].missing.subjects[]'"],
)
  .addHelpText(
    "after",
    `
Asks the provider for its list alone, and changes nothing. People are listed as subjects, the tokens that the log has;
export --subject <token> exports one. Ends with code 3 where something at the source is not in the vault as it is now.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "reconcile", (onFailure) => reconcile(session, onFailure), { refuse: refuseMissing });
    }),
  );
