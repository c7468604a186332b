import { Command, Option } from "commander";
import { loadConfig, selectClients } from "../config/load.ts";
import { selectSources } from "../config/sources.ts";
import { HoldfastError } from "../core/error.ts";
import { exitCode } from "../core/exit-code.ts";
import type { Console } from "../observe/console.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "../session/client.ts";
import { defaultConfig, PLACES } from "./default-config.ts";
import { type Host, hostHere } from "./host.ts";
import { consoleOf, type OutputOptions, refuseFormat, withOutput } from "./output.ts";

/** The options that all commands share. */
export interface CommonOptions extends OutputOptions {
  /** Undefined: the first file of default-config.ts that exists. */
  readonly config?: string;
  readonly client?: string[];
  /** For commands that ask sources. */
  readonly source?: string[];
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
    .option("--json", "print one JSON object on stdout and nothing else", false)
    .option("-q, --quiet", "show warnings and errors only", false);
  return withOutput(made).addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
}

/** Adds the option that chooses sources, for commands that ask them. */
export function withSource(made: Command): Command {
  return made.addOption(
    new Option("--source <name>", "only this source, by its name in the config; repeatable").argParser(
      (name: string, names: string[] = []) => [...names, name],
    ),
  );
}

/** How long to wait for a server's time, in ms. */
const PATIENCE = 5_000;

/** Opens a session, runs the command in it, and turns errors into messages and an exit code. */
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
    const clients = selectSources(selectClients(config, options.client), options.source);
    const { grace } = config.schedule;
    const { pushgateway } = config.metrics;
    const skewOf = async (url: string) => {
      const { skewOfServer } = await import("../doctor/clock.ts");
      return (await skewOfServer(url, now, PATIENCE)) ?? undefined;
    };
    await work(
      { clients, console, signal: onSignals(host, console, grace, options), now, skewOf, pushgateway },
      config,
    );
  } catch (error) {
    fail(error, host, console, options.json);
  }
}

/** For commands that need no config, such as an auditor's. */
export async function withoutConfig(
  options: Pick<CommonOptions, "json" | "quiet" | keyof OutputOptions>,
  work: (console: Console) => Promise<void>,
) {
  const host = hostHere();
  const console = consoleOf(options, host);
  host.onSignal(() => {
    fail(new HoldfastError("interrupted", "interrupted"), host, console, options.json);
    // Unfinished files are removed when the process exits.
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
 * The first signal asks the run to finish its current work, within `grace` ms. The second exits at once. Nothing is lost
 * either way: the next run continues from there.
 */
function onSignals(host: Host, { log }: Console, grace: number, { logFormat }: OutputOptions): AbortSignal {
  const controller = new AbortController();
  host.onSignal(() => {
    if (controller.signal.aborted) process.exit(130);
    if (host.stderr.isTTY && logFormat !== "json")
      host.stderr.write("\nStopping after the current work. Press Ctrl-C again to stop at once.\n");
    log.info("stopping: finishing current work, starting nothing new");
    controller.abort(new HoldfastError("interrupted", "interrupted"));
    setTimeout(() => {
      log.warn("current work took longer than schedule.grace: stopping now; the next run continues from here");
      process.exit(130);
    }, grace).unref();
  });
  return controller.signal;
}
