import { Writable } from "node:stream";
import { type Command, CommanderError } from "commander";
import { programFor } from "../../jobs/program.ts";
import { hostHere, runIn } from "../../src/cli/host.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import type { Ended, LogLine } from "../cli/program.ts";

export const silentConsole: Console = {
  log: silentLog,
  progress: () => noProgress,
  say: () => {},
  result: () => {},
  error: () => {},
};

export interface Here {
  readonly now?: Clock;
  /** Whether stdout and stderr are one, for what the program shows there. */
  readonly isTerminal?: boolean;
}

const programs = new Map<string, Promise<Command>>();

/**
 * Runs `holdfast <args>` in the test's own process, as the command line does: what prepares and looks at a vault in
 * hundreds of places. A child takes longer to load the program than to do any of it. What a process is to those who start
 * it (exit code, output, signals) is tested with real ones. Paths in `args` must be whole: this process stays where it is.
 */
export async function runHere(
  args: readonly string[],
  { now = systemClock, isTerminal = false }: Here = {},
): Promise<Ended> {
  const [name = "", ...rest] = args;
  // Colour is tested on a real terminal.
  const line = isTerminal ? [name, "--color", "never", ...rest] : args;
  if (!programs.has(name)) programs.set(name, programFor(name).then(writingHere));
  const program = await programs.get(name)!;
  const [stdout, stderr] = [new Text(isTerminal), new Text(isTerminal)];
  let code = 0;
  const host = {
    ...{ stdout: stdout.stream, stderr: stderr.stream, now },
    onSignal: () => {},
    endsWith: (with_: number) => (code = with_),
  };
  await runIn(host, async () => {
    try {
      await program.parseAsync(line, { from: "user" });
    } catch (error) {
      // As jobs/main.ts has it.
      if (!(error instanceof CommanderError)) throw error;
      code = error.exitCode === 0 ? 0 : 2;
    }
  });
  return {
    ...{ code, signal: null, stdout: stdout.text, stderr: stderr.text },
    get json() {
      return JSON.parse(stdout.text);
    },
    get log() {
      const lines = stderr.text.split("\n").filter((line) => line.startsWith("{"));
      return lines.map((line) => JSON.parse(line) as LogLine);
    },
  };
}

/** What commander itself says goes where the command's own words go. */
function writingHere(command: Command): Command {
  command.configureOutput({
    writeOut: (text) => void hostHere().stdout.write(text),
    writeErr: (text) => void hostHere().stderr.write(text),
  });
  for (const each of command.commands) writingHere(each);
  return command;
}

/** Takes what is written to a stream. */
class Text {
  text = "";
  readonly stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      this.text += chunk;
      done();
    },
  }) as unknown as NodeJS.WriteStream;

  constructor(isTerminal: boolean) {
    this.stream.isTTY = isTerminal;
    // So wide that nothing is wrapped.
    this.stream.columns = 1_000;
  }
}
