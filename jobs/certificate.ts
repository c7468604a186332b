import { noPurge } from "../src/certificate/certificate-writer.ts";
import { uncertified } from "../src/certificate/uncertified.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { onlyClient } from "../src/people/people.ts";
import { type Certified, certifyAll } from "../src/session/certify.ts";
import type { Session } from "../src/session/client.ts";

export const certificateCommand = command("certificate", "certify again what an earlier purge destroyed", [
  "holdfast retention certificate --run 20311124T100834Z-cd9ffe --out ./destroyed-2031-11",
])
  .requiredOption(
    "--run <id>",
    "the purge, as its output and the log name it; repeatable, for one that was stopped and the one that went on with it",
    (run: string, runs: string[] = []) => [...runs, run],
  )
  .requiredOption("--out <folder>", "where it is written; must not be there yet")
  .action((options: CommonOptions & { readonly run: string[]; readonly out: string }) =>
    run(options, async (session) => {
      session.console.result({
        command: "retention certificate",
        ...(await certify(session, options.run, options.out)),
      });
    }),
  );

/** Certifies what purges destroyed, after the purge itself. */
export async function certify(session: Session, runs: readonly string[], out: string): Promise<Certified> {
  const config = onlyClient(session, "a certificate");
  const waiting = new Set(uncertified(config.state));
  const [stopped, ended] = [runs.filter((run) => waiting.has(run)), runs.filter((run) => !waiting.has(run))];
  const certified = await certifyAll(config, session, { runs: ended, stopped }, out);
  if (certified === undefined) throw noPurge(stopped.join(", "));
  return certified;
}
