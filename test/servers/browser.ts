/** What a test does with a browser that speaks WebDriver: enough to use a page as a person does. */
export interface OtherBrowser extends AsyncDisposable {
  open(url: string): Promise<void>;
  /** Chooses a file in a file input. */
  choose(selector: string, file: string): Promise<void>;
  /** The value of an expression in the page: JSON. */
  value<T>(expression: string): Promise<T>;
}

/** Waits for what the page will show. */
export async function shown(browser: OtherBrowser, selector: string, words: RegExp, seconds = 120): Promise<string> {
  const deadline = performance.now() + seconds * 1_000;
  const expression = `document.querySelector(${JSON.stringify(selector)})?.textContent ?? ""`;
  for (;;) {
    const text = await browser.value<string>(expression);
    if (words.test(text)) return text;
    if (performance.now() > deadline) throw new Error(`${selector} never showed ${words}, but: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
