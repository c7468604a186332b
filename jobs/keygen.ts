import { Command } from "commander";
import { withoutConfig } from "../src/cli/command.ts";
import { type OutputOptions, withOutput } from "../src/cli/output.ts";
import { systemClock } from "../src/core/clock.ts";
import { HoldfastError } from "../src/core/error.ts";
import { createFile } from "../src/io/new-file.ts";
import { makeKeyPair } from "../src/seal/identity-file.ts";

export const keygenCommand = new Command("keygen")
  .description("make an age key pair for someone who may open records; for those who do not have age-keygen")
  .option("--out <file>", "write the private key here; must not be there yet")
  .option("--json", "print one JSON object on stdout and nothing else", false)
  .addHelpText(
    "after",
    `
Examples:
  holdfast keygen --out officer.txt
  holdfast keygen --out escrow.txt --json | jq -r .recipient

Run it on the machine of the person who will hold the key: the compliance officer, then someone else for escrow. Never
run it on the machine that exports, which must not be able to open what it wrote.

The file is an age identity file, as age-keygen writes it, which only you can read (mode 0600). holdfast open --key and
age -d -i take it. The public key (age1…) is printed, and is in the file too: it goes into the config's recipients.
The private key itself is never printed. To put a passphrase on it, with age: age -p officer.txt > officer.age`,
  )
  .action(({ out, json, ...output }: { out?: string; json: boolean } & OutputOptions) =>
    withoutConfig({ ...output, json, quiet: false }, async (console) => {
      if (out === undefined || out === "-") {
        // age-keygen would print the key. What is printed stays in a terminal's memory, in logs and in files of others.
        throw new HoldfastError("usage", "a private key is written to a file of its own, and is not printed", {
          hint: "Name a file that is not there yet: holdfast keygen --out officer.txt.",
        });
      }
      const { file, recipient } = await makeKeyPair(systemClock());
      await createFile(out, file);
      console.result({ command: "keygen", recipient, file: out }, [`Public key: ${recipient}`]);
      console.say([
        `${out} holds the private key. It opens every record that is sealed to it.`,
        "  where     with the person who opens records (the officer, escrow); never on the machine that exports",
        "  keep      two copies, in two places: without a private key no one can ever open the records",
        "  next      put the public key into the config's recipients",
      ]);
    }),
  );
withOutput(keygenCommand);
