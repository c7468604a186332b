import { Command } from "commander";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, wanted, withNames } from "../src/cli/named.ts";
import { assessErasure } from "./assess.ts";

export const erasureCommand = new Command("erasure").description("requests for erasure, GDPR Art. 17").addCommand(
  withNames(
    command("assess", "what is held of somebody, on which legal basis, until when: for the reply to a request", [
      "holdfast erasure assess --email someone@example.com",
      "holdfast erasure assess --reference C-10442 --json",
    ]),
  ).action((options: CommonOptions & NamedFlags) =>
    run(options, async (session) => {
      session.console.result({ command: "erasure assess", ...(await assessErasure(session, await wanted(options))) });
    }),
  ),
);
