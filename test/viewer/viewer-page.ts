import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { VIEWER } from "../../src/viewer/build.ts";

/** viewer.html in a browser, as a person uses it. */
export class ViewerPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page complained of, and what it asked the network for: neither may be. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      if (!/^(file|blob):/.test(request.url())) this.complaints.push(request.url());
    });
  }

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<ViewerPage> {
    const viewer = new ViewerPage(await (await browser.newContext(options)).newPage());
    await viewer.page.goto(pathToFileURL(VIEWER).href);
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
    await this.page.context().close();
    assert.deepEqual(this.complaints, []);
  }
}
