import { Command } from "commander";
import { outputError, setUpHelp } from "../src/cli/help.ts";
import { VERSION } from "../src/session/version.ts";

const EXIT_CODES = `
Exit codes:
  0    success
  1    failed
  2    the command line, the config or a key is invalid; or a second person has not approved
  3    incomplete: records failed or are missing (the next run takes them), or locks expired; for reconcile and export --withheld, also withheld files
  4    integrity: the vault, the log, a bag or a certificate was altered
  5    another run holds the vault
  130  interrupted; completed work is kept, and the next run continues`;

const GROUPS: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  "Getting started:": {
    new: async () => (await import("./new.ts")).newCommand,
    keygen: async () => (await import("./keygen.ts")).keygenCommand,
    init: async () => (await import("./init.ts")).initCommand,
    doctor: async () => (await import("./doctor.ts")).doctorCommand,
    folder: async () => (await import("./folder.ts")).folderCommand,
    backfill: async () => (await import("./backfill.ts")).backfillCommand,
    worker: async () => (await import("./worker.ts")).workerCommand,
    completion: async () => (await import("./completion.ts")).completionCommand,
  },
  "Nightly runs and checks:": {
    export: async () => (await import("./export.ts")).exportCommand,
    inbox: async () => (await import("./inbox.ts")).inboxCommand,
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
  "Retention and legal holds:": {
    relationship: async () => (await import("./relationship.ts")).relationshipCommand,
    hold: async () => (await import("./hold.ts")).holdCommand,
    retention: async () => (await import("./retention.ts")).retentionCommand,
    erasure: async () => (await import("./erasure.ts")).erasureCommand,
  },
  "Recovery:": {
    rebuild: async () => (await import("./rebuild.ts")).rebuildCommand,
  },
};

/**
 * The program with only the named command loaded: loading all takes longer than most commands run. `completion` and the
 * help load all.
 */
export async function programFor(named: string): Promise<Command> {
  const program = new Command("holdfast")
    .description(
      "Keeps the identity records that the law requires a company to keep: fetches them from the identity-verification provider, encrypts them with age, stores them under Object Lock, and proves it with a tamper-evident log.",
    )
    .version(VERSION)
    .showHelpAfterError("Run `holdfast --help` for usage.")
    .addHelpText(
      "after",
      `
First day:
  holdfast keygen --out key.txt    create an age key pair, on the machine of the person who will open records
  holdfast new                     write a first config; it asks questions and explains each
  holdfast init                    create the keys, check the vault, start an empty log
  holdfast doctor                  check everything a run needs, and say how to fix it
  holdfast export                  export everything; later runs export only new and changed identities
  holdfast backfill --plan         estimate what exporting everything takes
  holdfast verify                  prove that the vault holds what the log says
Each command's help has examples, such as holdfast export --help. The operator's guide is docs/OPERATING.md.
${EXIT_CODES}

S3 credentials come from the AWS SDK's default chain (environment, profile, role).`,
    );
  const isAlone = named !== "completion" && Object.values(GROUPS).some((commands) => Object.hasOwn(commands, named));
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(commands)) {
      if (!isAlone || name === named) program.addCommand(await load());
    }
  }
  program.exitOverride().configureOutput({ outputError });
  setUpHelp(program);
  return program;
}
