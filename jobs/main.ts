#!/usr/bin/env -S node --max-semi-space-size=4
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError } from "commander";
import { outputError, teach } from "../src/cli/help.ts";
import { keepMemoryOutOfDumps } from "../src/core/no-core-dump.ts";
import { VERSION } from "../src/session/version.ts";

keepMemoryOutOfDumps();

// Left to itself V8 collects old garbage only when it is several times what is in use: an export of 20,000 identities
// peaked 100 MB above one of 1,000, with no more to hold. At 100 it is 29 MB; at 30 it is no less, and an export of files
// takes a quarter more of the processor.
setFlagsFromString("--heap-growing-percent=100");
// The option above, in package.json, the Dockerfile and the systemd units too, is of the same kind, and cannot be set from
// here: what a file leaves behind on its way through is let go of sooner. A file of 500 MB peaks at 242 MB instead of 266
// with 8, for 4 % of the processor's time in an export.

// State, keys and what is opened are this user's alone.
process.umask(0o077);

// What cannot be said on stderr is not said: a full disk under a log must not end an export.
process.stderr.on("error", () => {});
// Whoever reads the result may have seen enough (`| head`). Anything else means that it is lost.
let isResultLost = false;
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE" || isResultLost) return;
  isResultLost = true;
  process.stderr.write(`the result cannot be written to stdout (${code}); the work itself was done\n`);
});
process.on("exit", (code) => {
  if (isResultLost && code === 0) process.exitCode = 1;
});

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  2    the command line or the config cannot be used; or a second person has not approved
  3    done in part: some records failed, and are tried again on the next run
  4    integrity: the vault, the log or a key does not agree with what was written
  5    another run holds the vault
  130  interrupted; what was done is kept, the next run goes on`;

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
  holdfast doctor                  check everything a run needs, and say how to mend it
  holdfast export                  export everything there is; later only what is new or changed
  holdfast backfill --plan         what it takes to export everything there is
  holdfast verify                  prove that the vault holds what the log says
Each command has examples: holdfast export --help. The operator's guide is docs/OPERATING.md.
${EXIT_CODES}

S3 credentials come from the AWS SDK's own chain (environment, profile, role).`,
  );

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
    verify: async () => (await import("./verify.ts")).verifyCommand,
    reconcile: async () => (await import("./reconcile.ts")).reconcileCommand,
    report: async () => (await import("./report.ts")).reportCommand,
  },
  "For an auditor:": {
    retrieve: async () => (await import("./retrieve.ts")).retrieveCommand,
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
// A command loads what it needs and no more: loading all of them takes longer than most of them run. `completion` and the
// help tell of all.
const named = process.argv[2] ?? "";
const isAlone = named !== "completion" && Object.values(GROUPS).some((commands) => Object.hasOwn(commands, named));
for (const [heading, commands] of Object.entries(GROUPS)) {
  program.commandsGroup(heading);
  for (const [name, load] of Object.entries(commands)) {
    if (!isAlone || name === named) program.addCommand(await load());
  }
}
program.exitOverride().configureOutput({ outputError });
teach(program);
try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong, or has shown the help that was asked for.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
