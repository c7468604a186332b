import { rebuild } from "../../jobs/rebuild.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const rebuildCommand = command("rebuild", "make the local catalog anew from the log in the vault", [
  "holdfast rebuild",
]).action((options: CommonOptions) =>
  run(options, async (session) => {
    session.console.result({ command: "rebuild", clients: await rebuild(session) });
  }),
);
