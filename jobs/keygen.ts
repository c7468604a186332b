import { Command } from "commander";
import { withoutConfig } from "../src/cli/command.ts";
import { type OutputOptions, withOutput } from "../src/cli/output.ts";
import { systemClock } from "../src/core/clock.ts";
import { HoldfastError } from "../src/core/error.ts";
import { createFile } from "../src/io/new-file.ts";
import { makeKeyPair } from "../src/seal/identity-file.ts";

export const keygenCommand = new Command("keygen")
  .description("create an age key pair for a person who may open records; replaces age-keygen")
  .option("--out <file>", "write the private key to this file; must not exist yet")
  .option("--json", "print one JSON object on stdout and nothing else", false)
  .addHelpText(
    "after",
    `
Examples:
  holdfast keygen --out officer.txt
  holdfast keygen --out escrow.txt --json | jq -r .recipient

Run it on the machine of the person who will hold the key: the compliance officer, then someone else for escrow. Never
run it on the exporting machine, which must not be able to open its own records.

The file is an age identity file in age-keygen's format, which only you can read (mode 0600). holdfast open --key and
age -d -i accept it. The public key (age1…) is printed and is also in the file: add it to the config's recipients.
The private key is never printed. To protect it with a passphrase, use age: age -p officer.txt > officer.age`,
  )
  .action(({ out, json, ...output }: { out?: string; json: boolean } & OutputOptions) =>
    withoutConfig({ ...output, json, quiet: false }, async (console) => {
      if (out === undefined || out === "-") {
        // age-keygen would print the key. Printed keys stay in terminal scrollback, in logs and in other files.
        throw new HoldfastError("usage", "keygen writes the private key to a file and never prints it", {
          hint: "Name a file that does not exist yet: holdfast keygen --out officer.txt.",
        });
      }
      const { file, recipient } = await makeKeyPair(systemClock());
      await createFile(out, file);
      console.result({ command: "keygen", recipient, file: out }, [`Public key: ${recipient}`]);
      console.say([
        `${out} contains the private key. It opens every record sealed to it.`,
        "  where     keep it with the person who opens records (the officer, escrow), never on the exporting machine",
        "  backup    keep two copies in two places: without a private key no one can ever open the records",
        "  next      add the public key to the config's recipients; or, to open one bag, give it to `holdfast reseal --to`",
      ]);
    }),
  );
withOutput(keygenCommand);
