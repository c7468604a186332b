import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { bundled } from "./bundled.ts";

/** What a process used, from start to end. */
export interface Ran {
  /** Elapsed time. */
  readonly seconds: number;
  readonly stdout: string;
  /** What Node processes report themselves. */
  readonly meter: Meter;
}

export interface Meter {
  /** Processor seconds. */
  readonly cpu: number;
  /** Maximum resident bytes. */
  readonly peak: number;
  /** Requests of node:http, which the S3 client uses; the source uses undici. */
  readonly requests: number;
  /** Those of them that are about records, files or notes, or list them; the others are about the log. */
  readonly about: number;
}

/** VmHWM belongs to the process itself; maxRSS of a child starts with its parent's value. */
const METER = `data:text/javascript,${encodeURIComponent(`
  import { subscribe } from "node:diagnostics_channel";
  import { readFileSync } from "node:fs";
  let [requests, about] = [0, 0];
  subscribe("http.client.request.start", ({ request }) => {
    requests += 1;
    if (/(\\/|%2F)(records|files|notes)(\\/|%2F)/.test(request.path)) about += 1;
  });
  process.on("exit", () => {
    const peak = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    process.stderr.write("\\n" + JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, peak, requests, about }) + "\\n");
  });
`)}`;

const CLI = await bundled("jobs/main.ts", "split");
/** Timeout of a process that hangs. A purge of 200,000 people takes most of an hour. */
const TIMEOUT = 2 * 3_600_000;
/** The options in package.json. */
const YOUNG = "--max-semi-space-size=4";

/**
 * Runs a program to its end; throws if it fails, with the end of its output.
 * @param meanwhile for a program that runs until it is stopped
 */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  meanwhile: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<Ran> {
  const begun = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const seconds = (performance.now() - begun) / 1000;
      const last = stderr.trimEnd().split("\n").at(-1) ?? "";
      if (code === 0) resolve({ seconds, stdout, meter: last.startsWith("{") ? JSON.parse(last) : {} });
      else reject(new Error(`${command} ${args.at(-1)} ended with ${code ?? signal}: ${stderr.slice(-1500)}`));
    });
    meanwhile(child).catch((error: unknown) => {
      child.kill("SIGKILL");
      reject(error);
    });
  });
}

/** Runs one of this folder's own programs. */
export function child(name: string, ...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, ["--import", METER, join(import.meta.dirname, "child", name), ...args]);
}

/** Runs one that is Holdfast's own code except its input, bundled and with the memory limits of the program. */
export async function part(name: string, ...args: readonly string[]): Promise<Ran> {
  const file = await bundled(`test/bench/child/${name}`, "single");
  return run(process.execPath, [YOUNG, "--heap-growing-percent=100", "--import", METER, file, ...args]);
}

/** Seconds, and processor seconds of user and kernel, of a program with all the programs that it starts. */
export interface Counted {
  readonly seconds: number;
  readonly cpu: number;
}

/** The same measure for every program: what the shell knows of the processes that it waited for. */
export async function counted(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Counted> {
  const script = `TIMEFORMAT='{"user":%U,"system":%S}'; time "$@"`;
  const { seconds, meter } = await run("bash", ["-c", script, "bash", command, ...args], { LC_ALL: "C", ...env });
  const { user, system } = meter as unknown as { readonly user: number; readonly system: number };
  return { seconds, cpu: user + system };
}

/** Runs the real program, with V8's compile cache, as for every Node process in the comparison. */
export function holdfast(command: string, config: string, ...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, ["--import", METER, ...programOf(command, config), ...args]);
}

/**
 * Runs it until `use` is through with it, and then stops it.
 * @param says what it says on stderr once it can be used
 */
export function whileRunning(
  [command, config]: readonly [command: string, config: string],
  says: RegExp,
  use: (found: RegExpExecArray) => Promise<void>,
): Promise<Ran> {
  const args = ["--import", METER, ...started(command, config)];
  return run(process.execPath, args, {}, async (child) => {
    let said = "";
    const found = await new Promise<RegExpExecArray>((resolve, reject) => {
      child.stderr!.on("data", (text: string) => {
        said += text;
        const match = says.exec(said);
        if (match) resolve(match);
      });
      child.once("close", () => reject(new Error(`${command} ended: ${said.slice(-1500)}`)));
    });
    await use(found);
    child.kill("SIGTERM");
  });
}

/** What Node is given to run it. */
export function programOf(command: string, config: string): string[] {
  return [...started(command, config), "--quiet", "--json"];
}

function started(command: string, config: string): string[] {
  return [YOUNG, CLI, ...command.split(" "), "--config", config];
}

/** A server in this folder or elsewhere; its first line on stdout is its address. */
export async function server(path: string, ...args: readonly string[]): Promise<AsyncDisposable & { url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, path), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.split("\n", 1)[0]!));
    child.on("close", (code) => reject(new Error(`${path} ended with ${code}`)));
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
