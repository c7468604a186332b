import { Command, Option } from "commander";
import { loadConfig, selectClients } from "../config/load.ts";
import { HoldfastError } from "../core/error.ts";
import { exitCode } from "../core/exit-code.ts";
import type { Console } from "../observe/console.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "../session/client.ts";
import { defaultConfig, PLACES } from "./default-config.ts";
import { type Host, hostHere } from "./host.ts";
import { consoleOf, type OutputOptions, refuseFormat, withOutput } from "./output.ts";

/** What every command has in common: its options, its session, its exit code. */
export interface CommonOptions extends OutputOptions {
  /** Undefined: the first of those of default-config.ts that is there. */
  readonly config?: string;
  readonly client?: string[];
  readonly json: boolean;
  readonly quiet: boolean;
}

export function command(name: string, description: string, examples: readonly string[]): Command {
  const made = new Command(name)
    .description(description)
    .option("-c, --config <file>", `the config file (default: the first that exists of ${PLACES.join(", ")})`)
    .addOption(
      new Option("--client <id>", "only this client; repeatable").argParser((id: string, ids: string[] = []) => [
        ...ids,
        id,
      ]),
    )
    .option("--json", "print one JSON object on stdout, and nothing else there", false)
    .option("-q, --quiet", "no progress and no summary; warnings and errors only", false);
  return withOutput(made).addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
}

/** For a server to say what time it is, in ms. */
const PATIENCE = 5_000;

/** Opens what every command has in common, runs it, and turns what it throws into words and an exit code. */
export async function run(
  options: CommonOptions,
  work: (session: Session, file: Awaited<ReturnType<typeof loadConfig>>) => Promise<void>,
) {
  const host = hostHere();
  const { now } = host;
  const console = consoleOf(options, host);
  try {
    refuseFormat();
    const config = await loadConfig(options.config ?? defaultConfig());
    const clients = selectClients(config, options.client);
    const { grace } = config.schedule;
    const { pushgateway } = config.metrics;
    const skewOf = async (url: string) => {
      const { skewOfServer } = await import("../doctor/clock.ts");
      return skewOfServer(url, now, PATIENCE);
    };
    await work(
      { clients, console, signal: onSignals(host, console, grace, options), now, skewOf, pushgateway },
      config,
    );
  } catch (error) {
    fail(error, host, console, options.json);
  }
}

/** For what an auditor runs, on a machine that has no config. */
export async function withoutConfig(
  options: Pick<CommonOptions, "json" | "quiet" | keyof OutputOptions>,
  work: (console: Console) => Promise<void>,
) {
  const host = hostHere();
  const console = consoleOf(options, host);
  host.onSignal(() => {
    fail(new HoldfastError("interrupted", "interrupted"), host, console, options.json);
    // What is half made is removed as the process ends.
    process.exit();
  });
  try {
    refuseFormat();
    await work(console);
  } catch (error) {
    fail(error, host, console, options.json);
  }
}

function fail(error: unknown, host: Host, console: Console, json: boolean): void {
  console.error(error);
  const { code, error: message, hint } = errorFields(error);
  if (json) console.result({ error: { code, message, hint } });
  host.endsWith(exitCode(error));
}

/**
 * The first signal asks the run to finish what is under way, for `grace` ms at most; the second ends it at once. Ended
 * so, nothing is lost either: the next run goes on from there.
 */
function onSignals(host: Host, { log }: Console, grace: number, { logFormat }: OutputOptions): AbortSignal {
  const controller = new AbortController();
  host.onSignal(() => {
    if (controller.signal.aborted) process.exit(130);
    if (host.stderr.isTTY && logFormat !== "json")
      host.stderr.write("\nstopping after what is under way; once more to stop at once\n");
    log.info("told to stop: what is under way is finished, nothing new begins");
    controller.abort(new HoldfastError("interrupted", "interrupted"));
    setTimeout(() => {
      log.warn("what is under way took longer than schedule.grace: the next run goes on from here");
      process.exit(130);
    }, grace).unref();
  });
  return controller.signal;
}
