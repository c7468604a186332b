import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OtherBrowser } from "./browser.ts";

const PROGRAM = "/usr/bin/firefox-esr";

/** For `test(name, { skip })`. */
export const withoutFirefox: string | false = existsSync(PROGRAM) ? false : "firefox-esr is not installed";

interface Answer {
  readonly id?: number;
  readonly type: "success" | "error" | "event";
  readonly result?: unknown;
  readonly message?: string;
}

/** Firefox without a window, by WebDriver BiDi: it speaks that itself. */
export class Firefox implements OtherBrowser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #context = "";
  #commands = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data)) as Answer));
  }

  static async start(): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), "holdfast-firefox-"));
    const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"];
    const env = { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: "1" };
    const child = spawn(PROGRAM, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    const address = await addressOf(child);
    const socket = new WebSocket(`${address}/session`);
    await once(socket, "open");
    const firefox = new Firefox(child, profile, socket);
    await firefox.#send("session.new", { capabilities: {} });
    const { contexts } = await firefox.#send<{ contexts: { context: string }[] }>("browsingContext.getTree", {});
    firefox.#context = contexts[0]!.context;
    return firefox;
  }

  async open(url: string): Promise<void> {
    await this.#send("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  async choose(selector: string, file: string): Promise<void> {
    const element = await this.#evaluate(`document.querySelector(${JSON.stringify(selector)})`);
    await this.#send("input.setFiles", { context: this.#context, element, files: [file] });
  }

  async value<T>(expression: string): Promise<T> {
    const { value } = (await this.#evaluate(`JSON.stringify(${expression})`)) as { value: string };
    return JSON.parse(value) as T;
  }

  async #evaluate(expression: string): Promise<unknown> {
    const target = { context: this.#context };
    const done = await this.#send<{ type: string; result: unknown; exceptionDetails?: { text: string } }>(
      "script.evaluate",
      { expression, target, awaitPromise: true },
    );
    if (done.type !== "success") throw new Error(done.exceptionDetails?.text ?? "the page threw");
    return done.result;
  }

  async #send<T>(method: string, params: Readonly<Record<string, unknown>>): Promise<T> {
    const id = ++this.#commands;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return (await answer.promise) as T;
  }

  #take({ id, type, result, message }: Answer): void {
    const answer = id === undefined ? undefined : this.#waiting.get(id);
    if (type === "error") answer?.reject(new Error(message));
    else if (type === "success") answer?.resolve(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.#send("browser.close", {}).catch(() => this.#child.kill("SIGKILL"));
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Firefox says on stderr where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  let text = "";
  const found = Promise.withResolvers<string>();
  child.stderr!.setEncoding("utf8").on("data", (more: string) => {
    text += more;
    const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(text) ?? [];
    if (address) found.resolve(address);
  });
  child.once("error", found.reject);
  child.once("exit", (code) => found.reject(new Error(`Firefox ended with ${code}: ${text.slice(-500)}`)));
  return found.promise;
}
