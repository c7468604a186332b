import { createInterface, type Interface } from "node:readline";
import { refusal } from "../config/first-answers.ts";
import { HoldfastError } from "../core/error.ts";
import { printable } from "../core/printable.ts";
import { errorText } from "../observe/console.ts";
import { writeLines } from "../observe/line.ts";

export interface Asked {
  readonly prompt: string;
  /** Said before it. */
  readonly says: readonly string[];
  /** What Enter takes; undefined where there has to be an answer, empty where there need be none. */
  readonly byDefault?: string | undefined;
  /** Throws HoldfastError where the answer cannot be taken; it is asked again then. */
  readonly check: (text: string) => Promise<void>;
}

/** Whether someone is there who can read questions and type answers. */
export function isSomebodyThere(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks a person on the terminal, one line at a time. Lines that were typed or pasted ahead are kept for what comes. */
export class Interview implements Disposable {
  readonly #terminal: Interface;
  readonly #lines: AsyncIterator<string>;
  #interrupted = false;

  constructor() {
    // No history: an answer may be a secret that was pasted by mistake.
    const options = { input: process.stdin, output: process.stderr, terminal: true, historySize: 0 };
    this.#terminal = createInterface(options);
    this.#lines = this.#terminal[Symbol.asyncIterator]();
    this.#terminal.on("SIGINT", () => {
      this.#interrupted = true;
      this.#terminal.close();
    });
  }

  /**
   * The first answer that can be taken.
   * @throws HoldfastError "interrupted" on Ctrl-C, "usage" where the answers end (Ctrl-D)
   */
  async ask({ prompt, says, byDefault, check }: Asked): Promise<string> {
    if (says.length > 0) this.say(["", ...says]);
    for (;;) {
      const answer =
        (await this.#line(`${prompt}${byDefault === undefined ? "" : ` [${byDefault || "none"}]`}: `)) || byDefault;
      if (answer === "") return answer;
      const error = await refusal(() => check(answer ?? ""));
      if (error === undefined && answer !== undefined) return answer;
      this.say(errorText(error ?? NO_ANSWER));
    }
  }

  say(lines: readonly string[]): void {
    writeLines(lines, { stream: process.stderr, color: "auto" });
  }

  [Symbol.dispose](): void {
    this.#terminal.close();
  }

  async #line(prompt: string): Promise<string> {
    this.#terminal.setPrompt(printable(prompt));
    if (!this.#interrupted) this.#terminal.prompt();
    const { done, value } = await this.#lines.next();
    if (!done) return value.trim();
    // The prompt's line is not ended.
    process.stderr.write("\n");
    throw this.#interrupted
      ? new HoldfastError("interrupted", "interrupted: nothing was written")
      : new HoldfastError("usage", "the answers ended: nothing was written", {
          hint: "Begin again, and answer each question.",
        });
  }
}

const NO_ANSWER = new HoldfastError("usage", "this needs an answer", {
  hint: "Ctrl-C ends it all; nothing is written before the end.",
});
