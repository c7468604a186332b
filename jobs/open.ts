import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { type OpenedBag, openBag } from "../src/bag/open.ts";
import { leftBehindText } from "../src/bag/os-leftovers.ts";
import { checkBag } from "../src/bag/reader.ts";
import { refuseOtherThanSealed } from "../src/bag/wrong-choice.ts";
import { vkey } from "../src/cli/arguments.ts";
import { withoutConfig } from "../src/cli/command.ts";
import { type OutputOptions, withOutput } from "../src/cli/output.ts";
import { HoldfastError } from "../src/core/error.ts";
import { printableJson } from "../src/core/printable.ts";
import { fileError, readingFile } from "../src/io/file-error.ts";
import { fileAt } from "../src/io/is-there.ts";
import { Unfinished } from "../src/io/unfinished-folder.ts";
import type { Console } from "../src/observe/console.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { number, plural } from "../src/observe/format.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { sayVerdict, untrusted } from "../src/session/key-trust.ts";
import { warnOfLeftovers } from "../src/session/leftovers.ts";

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
  .action(
    (
      sealed: string,
      { json, ...options }: { key: string; out?: string; vkey?: string; json: boolean } & OutputOptions,
    ) =>
      withoutConfig({ ...options, json, quiet: false }, async (console) => {
        const { key, out } = options;
        if ((await fileAt(sealed))?.isDirectory())
          return openWholeBag(sealed, { key, out, vkey: options.vkey }, console);
        if (json) throw new HoldfastError("usage", "--json is for a bag: a file that is opened is the output itself");
        await openSealed(sealed, { key, out }, console);
      }),
  );
withOutput(openCommand);

/**
 * Decrypts one sealed record or file for the holder of a private key. The output appears only when the whole of it has
 * been authenticated; on stdout it is written as it is authenticated, chunk by chunk.
 */
async function openSealed(
  sealed: string,
  { key, out }: { key: string; out: string | undefined },
  console: Console,
): Promise<void> {
  await refuseOtherThanSealed(sealed);
  const opener = await openKeyFile(key);
  if (out !== undefined) await warnOfLeftovers(out, console);
  const reading = readingFile(sealed);
  try {
    const plain = Readable.from(await opener.openStream(reading), { objectMode: false });
    if (out === undefined && process.stdout.isTTY) await pipeline(plain, shown, process.stdout, { end: false });
    else if (out === undefined) await pipeline(plain, process.stdout, { end: false });
    else await writeWhole(plain, out);
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    // Whoever reads the output has seen enough; of a stdout that cannot be written to, `main.ts` tells.
    if (code !== "EPIPE" && !(out === undefined && syscall === "write")) throw cause;
  } finally {
    await reading.return(undefined);
  }
}

/**
 * Decrypts a bag, after all of it was checked, into a folder that is made for it. Once all that opens is there, and told,
 * throws `unverified` for what did not, or `key` where nothing but the key was wrong.
 */
export async function openWholeBag(
  bag: string,
  { key, out, vkey }: { key: string; out: string | undefined; vkey?: string | undefined },
  console: Console,
): Promise<void> {
  if (out === undefined) {
    throw new HoldfastError("usage", "a bag is opened into a folder", {
      hint: "Add --out <a folder that is not there yet>.",
    });
  }
  const opener = await openKeyFile(key);
  await warnOfLeftovers(out, console);
  const checked = await checkBag(bag, vkey);
  if (checked.ignored.length > 0) console.say(`${bag}: ignored: ${leftBehindText(checked.ignored)}`);
  const progress = console.progress("records");
  const opened = await openBag(bag, checked, opener, out, progress.update).finally(progress.end);
  const { records, files, unopened } = opened;
  const trust = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const counted = `${plural(records, "record")} and ${plural(files, "file")} opened`;
  const others = unopened.length === 0 ? "" : `, ${number(unopened.length)} not`;
  const verdict = trust.keyTrusted ? "they are what the log lists" : untrusted("bag");
  sayVerdict(console, `${out}: ${counted}${others}; ${verdict}`, { ...trust, with: "bag" });
  const { first, more } = firstFew(unopened, "--json lists all, as `unopened`");
  for (const { subject, version, file, code, reason } of first) {
    const what = file === null ? "a record was not opened, nor its files" : `file ${file} of a record was not opened`;
    console.log.warn(what, { subject, version, code, error: `version ${version}: ${reason}` });
  }
  if (more) console.log.warn(more);
  console.result({ command: "open", ...opened, ...trust });
  refuseUnopened(opened);
}

function refuseUnopened({ out, unopened }: OpenedBag): void {
  if (unopened.length === 0) return;
  const isKey = unopened.every(({ code }) => code === "key");
  throw new HoldfastError(
    isKey ? "key" : "unverified",
    `${unopened.length} of the records and files were not opened; everything else is in ${out}`,
    {
      hint: isKey
        ? "Use the private key of one of their recipients."
        : "The first are named above, and --json lists all. Their sealed bytes are as the log says: ask whoever runs the vault what was wrong when they were stored.",
    },
  );
}

/** What the provider wrote must not drive a terminal. A record stays the same JSON. */
async function* shown(plain: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of plain) yield printableJson(decoder.decode(chunk, { stream: true }));
  yield printableJson(decoder.decode());
}

async function writeWhole(plain: Readable, out: string): Promise<void> {
  const made = await Unfinished.file(out);
  try {
    await pipeline(plain, createWriteStream(made.path, { flags: "wx", mode: 0o600 }));
    await made.finish();
  } catch (error) {
    await made.abandon();
    throw fileError(error, out, "written");
  }
}
