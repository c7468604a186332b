import { createInterface, type Interface } from "node:readline";
import { refusal } from "../config/first-answers.ts";
import { HoldfastError } from "../core/error.ts";
import { printable } from "../core/printable.ts";
import { errorText } from "../observe/console.ts";
import { writeLines } from "../observe/line.ts";

export interface Prompt {
  readonly prompt: string;
  /** The explanation printed before the prompt. */
  readonly says: readonly string[];
  /** The answer that Enter gives. Undefined: an answer is required. Empty: no answer is needed. */
  readonly byDefault?: string | undefined;
  /** Throws HoldfastError if the answer is invalid; the question is then asked again. */
  readonly check: (text: string) => Promise<void>;
}

/** Whether stdin and stderr are a terminal, so that someone can answer questions. */
export function isSomebodyThere(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/**
 * Whether someone at the keyboard can answer one question before a command goes on; false for a script. Throws `usage`
 * where they could type, but would not see the question.
 */
export function canAsk(): boolean {
  if (!process.stdin.isTTY || process.stderr.isTTY) return isSomebodyThere();
  throw new HoldfastError("usage", "the question cannot be shown: stderr is not the terminal", {
    hint: "Run it without redirecting stderr (2>), or add --yes to skip the question.",
  });
}

/** Asks a person on the terminal, one line at a time. Lines typed or pasted ahead answer the next questions. */
export class Interview implements Disposable {
  readonly #terminal: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #happened: string;
  #interrupted = false;

  /** @param what it does after the last answer, as it says it did not where someone leaves: "written" */
  constructor(what: "written" | "removed") {
    this.#happened = what;
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
   * The first valid answer.
   * @throws HoldfastError "interrupted" on Ctrl-C, "usage" at the end of input (Ctrl-D)
   */
  async ask({ prompt, says, byDefault, check }: Prompt): Promise<string> {
    if (says.length > 0) this.say(["", ...says]);
    for (;;) {
      const answer =
        (await this.#line(`${prompt}${byDefault === undefined ? "" : ` [${byDefault || "none"}]`}: `)) || byDefault;
      if (answer === "") return answer;
      const error = await refusal(() => check(answer ?? ""));
      if (error === undefined && answer !== undefined) return answer;
      this.say(errorText(error ?? noAnswer(this.#happened)));
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
    // The cursor is still on the prompt's line.
    process.stderr.write("\n");
    throw this.#interrupted
      ? new HoldfastError("interrupted", `interrupted; nothing was ${this.#happened}`)
      : new HoldfastError("usage", `end of input before the last question; nothing was ${this.#happened}`, {
          hint: "Start again and answer each question.",
        });
  }
}

const noAnswer = (what: string): HoldfastError =>
  new HoldfastError("usage", "an answer is required", {
    hint: `Press Ctrl-C to quit. Nothing is ${what} before the last answer.`,
  });
