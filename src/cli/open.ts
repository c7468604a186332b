import { Command } from "commander";
import { isBag, openSealed, openWholeBag } from "../../jobs/open.ts";
import { withoutConfig } from "./command.ts";

export const openCommand = new Command("open")
  .description("decrypt a bag, or one sealed record or file, for the holder of a private key")
  .argument("<sealed>", "the folder of a bag, or the path of a sealed .age file")
  .requiredOption("--key <file>", "age identity file, as age-keygen writes it")
  .option(
    "--out <path>",
    "write here, a folder for a bag; must not be there yet, and appears only when all of it is authenticated. Default for a file: stdout",
  )
  .option("--vkey <key>", "of a bag: the log's public key that you trust")
  .addHelpText(
    "after",
    "\nExamples:\n  holdfast open record.age --key officer.txt | jq .identity\n  holdfast open file.age --key officer.txt --out passport.png\n\nThe age command does the same: age -d -i officer.txt record.age",
  )
  .action((sealed: string, { key, out, vkey }: { key: string; out?: string; vkey?: string }) =>
    withoutConfig({ json: false, quiet: false }, async (console) => {
      if (await isBag(sealed)) await openWholeBag(sealed, { key, out, vkey }, console);
      else await openSealed(sealed, { key, out }, console);
    }),
  );
