import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { VIEWER } from "../../src/viewer/build.ts";

/** Pages that no one uses, of each browser: to load the viewer again in one takes a fifth of what a new one takes. */
const idle = new WeakMap<Browser, Page[]>();

/** viewer.html in a browser, as a person uses it. */
export class ViewerPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page complained of, and what it asked the network for: neither may be. */
  readonly complaints: string[] = [];
  /** Where the page goes when it is done with; undefined: it is closed. */
  readonly #idle: Page[] | undefined;

  private constructor(page: Page, idle: Page[] | undefined) {
    this.page = page;
    this.#idle = idle;
    page.setDefaultTimeout(120_000);
    page.on("console", (message) => this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      if (!/^(file:\/\/\/.*\/viewer\.html$|blob:)/.test(request.url())) this.complaints.push(request.url());
    });
  }

  /** With the viewer just loaded. Where there are options the page is a new one, of its own. */
  static async open(browser: Browser, options?: BrowserContextOptions): Promise<ViewerPage> {
    const pages = options ? undefined : idle.getOrInsertComputed(browser, () => []);
    const page = pages?.pop() ?? (await (await browser.newContext(options)).newPage());
    const viewer = new ViewerPage(page, pages);
    await page.goto(pathToFileURL(VIEWER).href);
    return viewer;
  }

  async give({ bag, key, vkey }: { bag?: string; key?: string; vkey?: string }): Promise<void> {
    if (vkey !== undefined) await this.trust(vkey);
    if (bag !== undefined) {
      await this.page.locator("#folder").setInputFiles(bag);
      await this.page.locator("#verdict").waitFor();
    }
    if (key !== undefined) {
      await this.page.locator("#key").setInputFiles(key);
      await this.page.locator("#key-said:not(:empty):not([data-verdict='busy'])").waitFor();
    }
  }

  async trust(vkey: string): Promise<void> {
    await this.page.locator("#vkey").fill(vkey);
    await this.page.locator("#vkey").blur();
  }

  async verdict(): Promise<string> {
    return (await this.page.locator("#verdict").textContent())!;
  }

  /** What a person sees of the result. */
  async text(): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: what a person sees, and only that
    return this.page.locator("#result").innerText();
  }

  /** Paths that are named as wrong, or as not checked. */
  async named(list: "problems" | "missed"): Promise<string[]> {
    return this.page.locator(`.${list} code`).allTextContents();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.page.removeAllListeners();
    if (this.#idle) this.#idle.push(this.page);
    else await this.page.context().close();
    assert.deepEqual(this.complaints, []);
  }
}
