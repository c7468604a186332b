import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { OtherBrowser } from "./browser.ts";
import { freePort } from "./ceph.ts";

const DRIVER = "/usr/bin/WebKitWebDriver";
const DISPLAY = "/usr/bin/Xvfb";
const [BROWSER] = globSync("/usr/lib/*/webkit2gtk-4.*/MiniBrowser");

/** For `test(name, { skip })`. */
export const withoutWebKit: string | false =
  existsSync(DRIVER) && existsSync(DISPLAY) && BROWSER !== undefined
    ? false
    : "webkit2gtk-driver or xvfb is not installed";

/** How WebDriver names an element in JSON. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** WebKitGTK's small browser, by WebDriver, on a display of its own. */
export class WebKit implements OtherBrowser {
  readonly #children: readonly ChildProcess[];
  readonly #folder: string;
  #session: string;

  private constructor(children: readonly ChildProcess[], folder: string, session: string) {
    this.#children = children;
    this.#folder = folder;
    this.#session = session;
  }

  static async start(): Promise<WebKit> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-webkit-"));
    const display = spawn(DISPLAY, ["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [number] = (await once(display.stdout!, "data")) as [Buffer];
    const env = {
      ...process.env,
      ...{ DISPLAY: `:${String(number).trim()}`, GDK_BACKEND: "x11", HOME: folder, XDG_RUNTIME_DIR: folder },
      // No GPU here.
      ...{ WEBKIT_DISABLE_DMABUF_RENDERER: "1", LIBGL_ALWAYS_SOFTWARE: "1", GSETTINGS_BACKEND: "memory" },
    };
    const port = await freePort();
    const driver = spawn(DRIVER, [`--port=${port}`, "--host=127.0.0.1"], { env, stdio: "ignore" });
    const origin = `http://127.0.0.1:${port}`;
    const webkit = new WebKit([driver, display], folder, `${origin}/session`);
    try {
      await answering(origin);
      const options = { binary: BROWSER, args: ["--automation"] };
      const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
      const { sessionId } = await command<{ sessionId: string }>("POST", webkit.#session, { capabilities });
      webkit.#session += `/${sessionId}`;
      return webkit;
    } catch (error) {
      await webkit[Symbol.asyncDispose]();
      throw error;
    }
  }

  async open(url: string): Promise<void> {
    await command("POST", `${this.#session}/url`, { url });
  }

  async choose(selector: string, file: string): Promise<void> {
    const found = { using: "css selector", value: selector };
    const element = await command<Record<string, string>>("POST", `${this.#session}/element`, found);
    await command("POST", `${this.#session}/element/${element[ELEMENT]}/value`, { text: file });
  }

  async value<T>(expression: string): Promise<T> {
    const script = `return JSON.stringify(${expression})`;
    return JSON.parse(await command<string>("POST", `${this.#session}/execute/sync`, { script, args: [] })) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command("DELETE", this.#session).catch(() => {});
    for (const child of this.#children) {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function command<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error} ${value.message}`);
  return value;
}

async function answering(origin: string): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    if (await fetch(`${origin}/status`).catch(() => undefined)) return;
    await delay(50);
  }
  throw new Error("WebKitWebDriver does not answer");
}
