import { report } from "../../jobs/report.ts";
import { HoldfastError } from "../core/error.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

interface Flags {
  readonly out?: string;
  readonly offline: boolean;
}

export const reportCommand = command(
  "report",
  "what is kept, until when, and what asks for attention: one page for whoever answers for it, or JSON",
  ["holdfast report --out report.html", "holdfast report --offline --json | jq '.clients[].horizon'"],
)
  .option("--out <file>", "the page; it loads nothing and holds nothing personal; replaces an earlier one")
  .option("--offline", "do not ask the source for its list; tell what the last export found", false)
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      const { out, offline } = options;
      if (out === undefined && !options.json) {
        throw new HoldfastError("usage", "neither --out nor --json is given", {
          mend: "Name the page, --out report.html, or ask for the figures with --json.",
        });
      }
      await tellClients(session, "report", (onFailure) => report(session, { out, offline }, onFailure));
    }),
  );
