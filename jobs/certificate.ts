import { noPurge } from "../src/certificate/certificate-writer.ts";
import { uncertified } from "../src/certificate/uncertified.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { onlyClient } from "../src/people/people.ts";
import { type Certified, certifyAll } from "../src/session/certify.ts";
import type { Session } from "../src/session/client.ts";

export const certificateCommand = command("certificate", "write the certificate of an earlier purge again", [
  "holdfast retention certificate --run 20311124T100834Z-cd9ffe --out ./destroyed-2031-11",
])
  .requiredOption(
    "--run <id>",
    "the purge's run id, from its output or the log; repeatable, for a stopped purge and the one that continued it",
    (run: string, runs: string[] = []) => [...runs, run],
  )
  .requiredOption("--out <folder>", "the folder to create; must not exist yet")
  .action((options: CommonOptions & { readonly run: string[]; readonly out: string }) =>
    run(options, async (session) => {
      session.console.result({
        command: "retention certificate",
        ...(await certify(session, options.run, options.out)),
      });
    }),
  );

/** Certifies earlier purges. */
export async function certify(session: Session, runs: readonly string[], out: string): Promise<Certified> {
  const config = onlyClient(session, "a certificate");
  const waiting = new Set(uncertified(config.state));
  const [stopped, ended] = [runs.filter((run) => waiting.has(run)), runs.filter((run) => !waiting.has(run))];
  const certified = await certifyAll(config, session, { runs: ended, stopped }, out);
  if (certified === undefined) throw noPurge(stopped.join(", "));
  return certified;
}
