import { Command } from "commander";
import { outputError, teach } from "../src/cli/help.ts";
import { VERSION } from "../src/session/version.ts";

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  2    the command line, the config or a key cannot be used; or a second person has not approved
  3    incomplete: records failed or files are missing, or locks ran out; the next run tries failed records again
  4    integrity: the vault, the log, a bag or a certificate is not as it was written
  5    another run holds the vault
  130  interrupted; what was done is kept, the next run goes on`;

const GROUPS: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  "To begin with:": {
    new: async () => (await import("./new.ts")).newCommand,
    keygen: async () => (await import("./keygen.ts")).keygenCommand,
    init: async () => (await import("./init.ts")).initCommand,
    doctor: async () => (await import("./doctor.ts")).doctorCommand,
    backfill: async () => (await import("./backfill.ts")).backfillCommand,
    worker: async () => (await import("./worker.ts")).workerCommand,
    completion: async () => (await import("./completion.ts")).completionCommand,
  },
  "Every night, and to see that all is well:": {
    export: async () => (await import("./export.ts")).exportCommand,
    status: async () => (await import("./status.ts")).statusCommand,
    verify: async () => (await import("./verify.ts")).verifyCommand,
    reconcile: async () => (await import("./reconcile.ts")).reconcileCommand,
    report: async () => (await import("./report.ts")).reportCommand,
  },
  "For an auditor:": {
    retrieve: async () => (await import("./retrieve.ts")).retrieveCommand,
    retrieval: async () => (await import("./retrieval.ts")).retrievalCommand,
    open: async () => (await import("./open.ts")).openCommand,
    reseal: async () => (await import("./reseal.ts")).resealCommand,
  },
  "How long copies are kept:": {
    relationship: async () => (await import("./relationship.ts")).relationshipCommand,
    hold: async () => (await import("./hold.ts")).holdCommand,
    retention: async () => (await import("./retention.ts")).retentionCommand,
    erasure: async () => (await import("./erasure.ts")).erasureCommand,
  },
  "When something is lost:": {
    rebuild: async () => (await import("./rebuild.ts")).rebuildCommand,
  },
};

/**
 * The command line of one command. It loads what it needs and no more: loading all of them takes longer than most of them
 * run. `completion` and the help tell of all.
 */
export async function programFor(named: string): Promise<Command> {
  const program = new Command("holdfast")
    .description(
      "Keeps the copies of identity records that the law makes a company keep: pulls them from the identity-verification provider, seals them with age, stores them under Object Lock, and proves it with a tamper-evident log.",
    )
    .version(VERSION)
    .showHelpAfterError("(holdfast --help shows what there is)")
    .addHelpText(
      "after",
      `
First day:
  holdfast keygen --out key.txt    make an age key pair, on the machine of the person who will open records
  holdfast new                     write a first config: it asks, and explains each question
  holdfast init                    make the keys, check the vault, write an empty log
  holdfast doctor                  check everything a run needs, and say how to fix it
  holdfast export                  export everything there is; later only what is new or changed
  holdfast backfill --plan         what it takes to export everything there is
  holdfast verify                  prove that the vault holds what the log says
Each command has examples: holdfast export --help. The operator's guide is docs/OPERATING.md.
${EXIT_CODES}

S3 credentials come from the AWS SDK's own chain (environment, profile, role).`,
    );
  const isAlone = named !== "completion" && Object.values(GROUPS).some((commands) => Object.hasOwn(commands, named));
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(commands)) {
      if (!isAlone || name === named) program.addCommand(await load());
    }
  }
  program.exitOverride().configureOutput({ outputError });
  teach(program);
  return program;
}
