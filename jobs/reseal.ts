import { Command } from "commander";
import { type HandOnResult, handOn } from "../src/bag/hand-on.ts";
import { leftBehindText } from "../src/bag/os-leftovers.ts";
import { checkBag } from "../src/bag/reader.ts";
import { collectValues, vkey } from "../src/cli/arguments.ts";
import { type CommonOptions, withoutConfig } from "../src/cli/command.ts";
import { type OutputOptions, withOutput } from "../src/cli/output.ts";
import { parseRecipients } from "../src/config/recipients.ts";
import { systemClock } from "../src/core/clock.ts";
import { HoldfastError } from "../src/core/error.ts";
import { warnOfLeftovers } from "../src/io/unfinished-folder.ts";
import type { Console } from "../src/observe/console.ts";
import { bytes, plural } from "../src/observe/format.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { sayVerdict, untrusted } from "../src/session/key-trust.ts";

export const resealCommand = new Command("reseal")
  .description("re-encrypt a bag for someone else, without changing its sealed contents")
  .argument("<bag>", "the folder of a bag")
  .requiredOption("--key <file>", "age identity file of someone who can open it")
  .option(
    "--to <recipient>",
    "public key of the new recipient (age1…); only they can open the new bag; repeatable",
    collectValues,
    [],
  )
  .requiredOption("--out <folder>", "the new bag; must not exist yet")
  .option("--vkey <key>", "the log's public key that you trust", vkey)
  .option("--json", "print one JSON object on stdout, and nothing else there", false)
  .option("-q, --quiet", "no progress and no summary; warnings and errors only", false)
  .addHelpText(
    "after",
    "\nExamples:\n  holdfast reseal ./case-12 --key officer.txt --to age1…auditor --out ./case-12-for-auditor\n\nHoldfast checks the bag first. The new bag keeps the description of the old one, so it proves the same.",
  )
  .action((bag: string, options: ResealOptions & Pick<CommonOptions, "json" | "quiet" | keyof OutputOptions>) =>
    withoutConfig(options, async (console) => {
      console.result({ command: "reseal", ...(await reseal(bag, options, console)) });
    }),
  );
withOutput(resealCommand);

export interface ResealOptions {
  /** Age identity file of a current recipient. */
  readonly key: string;
  /** Age recipients. Only they can open the new bag. */
  readonly to: readonly string[];
  readonly out: string;
  readonly vkey?: string | undefined;
}

/** Re-encrypts a fully checked bag for someone who is not a recipient. Needs neither config nor vault. */
export async function reseal(
  bag: string,
  { key, to, out, vkey }: ResealOptions,
  console: Console,
): Promise<HandOnResult> {
  const recipients = await parseRecipients(to).catch((cause: unknown) => {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new HoldfastError("recipients", cause.message.replaceAll("recipients", "--to").split("\n"), { cause });
  });
  const opener = await openKeyFile(key);
  await warnOfLeftovers(out, console.log);
  const checked = await checkBag(bag, vkey);
  if (checked.ignored.length > 0) console.say(`${bag}: ignored: ${leftBehindText(checked.ignored)}`);
  const progress = console.progress("objects");
  const done = await handOn(bag, checked, { opener, to: recipients, out, now: systemClock() }, progress.update).finally(
    progress.end,
  );
  const trust = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const lines = [
    `${out} is ready, for ${recipients.strings.map((each) => `${each.slice(0, 20)}…`).join(", ")} alone${trust.keyTrusted ? "" : `; ${untrusted("bag")}`}`,
    `  holds     ${plural(done.objects, "object")} with new headers, ${bytes(done.bytes)}; the payloads are unchanged`,
    "  recorded in reseal.json: each object's digest in the vault and here; verify checks both",
    "  not recorded in the vault's log, which this machine cannot reach. Keep a note of who received the bag",
  ];
  sayVerdict(console, lines, { ...trust, with: "bag" });
  return done;
}
