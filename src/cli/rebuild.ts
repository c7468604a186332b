import { rebuild } from "../../jobs/rebuild.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const rebuildCommand = command("rebuild", "make the local catalog anew from the log in the vault", [
  "holdfast rebuild",
])
  .addHelpText(
    "after",
    `
The catalog is an index of the log, on this machine alone; it can always be made anew, and the next run does so by itself
where it is missing or damaged. Run this where you want to know now that it can, as in a recovery: it changes nothing in
the vault.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "rebuild", (onFailure) => rebuild(session, onFailure));
    }),
  );
