import { Command } from "commander";
import { isBag, openSealed, openWholeBag } from "../../jobs/open.ts";
import { HoldfastError } from "../core/error.ts";
import { vkey } from "./arguments.ts";
import { withoutConfig } from "./command.ts";

export const openCommand = new Command("open")
  .description("decrypt a bag, or one sealed record or file, for the holder of a private key")
  .argument("<sealed>", "the folder of a bag, or the path of a sealed .age file")
  .requiredOption("--key <file>", "age identity file, as age-keygen writes it")
  .option(
    "--out <path>",
    "write here, a folder for a bag; must not be there yet. Only what is authenticated is in it. Default for a file: stdout",
  )
  .option("--vkey <key>", "of a bag: the log's public key that you trust", vkey)
  .option("--json", "of a bag: print one JSON object on stdout, and nothing else there", false)
  .addHelpText(
    "after",
    "\nExamples:\n  holdfast open record.age --key officer.txt | jq .identity\n  holdfast open file.age --key officer.txt --out passport.png\n\nThe age command does the same: age -d -i officer.txt record.age",
  )
  .action((sealed: string, { json, ...options }: { key: string; out?: string; vkey?: string; json: boolean }) =>
    withoutConfig({ json, quiet: false }, async (console) => {
      const { key, out } = options;
      if (await isBag(sealed)) return openWholeBag(sealed, { key, out, vkey: options.vkey }, console);
      if (json) throw new HoldfastError("usage", "--json is for a bag: a file that is opened is the output itself");
      await openSealed(sealed, { key, out }, console);
    }),
  );
