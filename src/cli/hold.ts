import { Command } from "commander";
import { type HoldResult, placeHold, releaseHold } from "../../jobs/hold.ts";
import type { Session } from "../session/client.ts";
import { type CommonOptions, command, run } from "./command.ts";
import { type NamedFlags, wanted, withNames } from "./named.ts";

type Flags = CommonOptions & NamedFlags & { readonly case: string; readonly reason: string };

function hold(name: "place" | "release", description: string, examples: readonly string[]): Command {
  const change: (session: Session, options: Parameters<typeof placeHold>[1]) => Promise<HoldResult> =
    name === "place" ? placeHold : releaseHold;
  return withNames(command(name, description, examples))
    .requiredOption("--case <number>", "the case: a hold is released by exactly these characters")
    .requiredOption("--reason <text>", "why; the log has a commitment to it only, so keep it where the case is kept")
    .action((options: Flags) =>
      run(options, async (session) => {
        const { case: number, reason } = options;
        const done = await change(session, { ...(await wanted(options)), case: number, reason });
        session.console.result({ command: `hold ${name}`, ...done });
      }),
    );
}

export const holdCommand = new Command("hold")
  .description("legal holds: what they are on is kept, whatever its date, until they are released")
  .addCommand(
    hold("place", "hold everything there is of somebody, every version of it, in the store and in the log", [
      "holdfast hold place --case 'AZ 17/26' --reason 'inquiry of the prosecutor' --reference C-10442",
      "holdfast hold place --case 'AZ 17/26' --reason '…' --list people.txt",
    ]),
  )
  .addCommand(
    hold("release", "release what a case held: whoever is named, or all that it holds", [
      "holdfast hold release --case 'AZ 17/26' --reason 'inquiry closed'",
      "holdfast hold release --case 'AZ 17/26' --reason '…' --subject 9c4f…",
    ]),
  );
