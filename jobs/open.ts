import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { type OpenedBag, OTHER_KEY, openBag } from "../src/bag/open.ts";
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
import { Unfinished, warnOfLeftovers } from "../src/io/unfinished-folder.ts";
import type { Console } from "../src/observe/console.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { number, plural } from "../src/observe/format.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { sayVerdict, untrusted } from "../src/session/key-trust.ts";

export const openCommand = new Command("open")
  .description("decrypt a bag, or one sealed record or file, with a private key")
  .argument("<sealed>", "the folder of a bag, or the path of a sealed .age file")
  .requiredOption("--key <file>", "age identity file, from age-keygen or holdfast keygen")
  .option(
    "--out <path>",
    "where to write; a folder for a bag; must not exist yet. Gets authenticated data only. Default for a file: stdout",
  )
  .option("--vkey <key>", "for a bag: the log's public key that you trust", vkey)
  .option("--json", "for a bag: print one JSON object on stdout and nothing else", false)
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
        if (json)
          throw new HoldfastError("usage", "--json works only for a bag: for a file, stdout is the decrypted content");
        await openSealed(sealed, { key, out }, console);
      }),
  );
withOutput(openCommand);

/**
 * Decrypts one sealed record or file with a private key. An output file appears only once all of it is authenticated;
 * stdout receives each chunk as soon as it is authenticated.
 */
async function openSealed(
  sealed: string,
  { key, out }: { key: string; out: string | undefined },
  console: Console,
): Promise<void> {
  await refuseOtherThanSealed(sealed);
  const opener = await openKeyFile(key);
  if (out !== undefined) await warnOfLeftovers(out, console.log);
  const reading = readingFile(sealed);
  try {
    const plain = Readable.from(await opener.openStream(reading), { objectMode: false });
    if (out === undefined && process.stdout.isTTY) await pipeline(plain, shown, process.stdout, { end: false });
    else if (out === undefined) await pipeline(plain, process.stdout, { end: false });
    else await writeWhole(plain, out);
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    // The reader closed the pipe. `main.ts` reports other errors of stdout.
    if (code !== "EPIPE" && !(out === undefined && syscall === "write")) throw cause;
  } finally {
    await reading.return(undefined);
  }
}

/**
 * Decrypts a fully checked bag into a new folder. After it has written and reported everything that opens, it throws
 * `unverified` for the rest, or `key` if only the key was wrong.
 */
export async function openWholeBag(
  bag: string,
  { key, out, vkey }: { key: string; out: string | undefined; vkey?: string | undefined },
  console: Console,
): Promise<void> {
  if (out === undefined) {
    throw new HoldfastError("usage", "opening a bag needs an output folder", {
      hint: "Add --out with a folder that does not exist yet.",
    });
  }
  const opener = await openKeyFile(key);
  await warnOfLeftovers(out, console.log);
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
    const what = file === null ? "a record and its files were not opened" : `file ${file} of a record was not opened`;
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
        ? OTHER_KEY
        : "The first are listed above, and --json lists all. Their sealed bytes match the log: ask the operator of the vault what went wrong when they were stored.",
    },
  );
}

/** Removes terminal control characters from the provider's text. The JSON of a record keeps its meaning. */
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
