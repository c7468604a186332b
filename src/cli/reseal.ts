import { Command } from "commander";
import { type ResealOptions, reseal } from "../../jobs/reseal.ts";
import { gather, vkey } from "./arguments.ts";
import { type CommonOptions, withoutConfig } from "./command.ts";

export const resealCommand = new Command("reseal")
  .description("hand a bag to somebody who is no recipient: other headers, the payloads untouched")
  .argument("<bag>", "the folder of a bag")
  .requiredOption("--key <file>", "age identity file of somebody who can open it")
  .option("--to <recipient>", "whom it is for (age1…); they alone can open the new bag; repeatable", gather, [])
  .requiredOption("--out <folder>", "the new bag; must not be there yet")
  .option("--vkey <key>", "the log's public key that you trust", vkey)
  .option("--json", "print one JSON object on stdout, and nothing else there", false)
  .option("-q, --quiet", "no progress and no summary; warnings and errors only", false)
  .addHelpText(
    "after",
    "\nExamples:\n  holdfast reseal ./case-12 --key officer.txt --to age1…auditor --out ./case-12-for-auditor\n\nThe bag is checked first. What it was is kept in it, so that the new one proves the same as the old one.",
  )
  .action((bag: string, options: ResealOptions & Pick<CommonOptions, "json" | "quiet">) =>
    withoutConfig(options, async (console) => {
      console.result({ command: "reseal", ...(await reseal(bag, options, console)) });
    }),
  );
