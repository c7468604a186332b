import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "../../../faults/requests.ts";
import type { Asked, HttpStage } from "./stage.ts";

/** A request as it reached the sandbox. */
export interface Seen {
  readonly asked: Asked;
  /** As it was sent, not yet parsed. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

type Hook = (asked: Asked, request: IncomingMessage, response: ServerResponse) => boolean;

const SAMPLE = JSON.stringify({ data: [], id: "00000000-0000-4000-8000-000000000000" });

/** Everything that goes to the sandbox and back: watches it, and strikes it with faults. */
export class Traffic {
  readonly seen: Seen[] = [];
  /** The JSON answers that the sandbox gave, byte for byte. */
  readonly answers: { readonly asked: Asked; readonly text: string }[] = [];
  /** What the provider would object to. */
  readonly wrong = new Set<string>();
  readonly #hooks: Hook[] = [];
  readonly #signature: string | undefined;

  constructor(stage: HttpStage) {
    this.#signature = stage.signature;
    stage.intercept((request, response) => {
      const asked = stage.asked(request);
      this.seen.push({ asked, path: request.url!, headers: request.headers });
      const wrong = stage.wrongIn(request);
      if (wrong !== undefined) this.wrong.add(`${asked}: ${wrong}`);
      if (asked !== "file") this.#keep(asked, response);
      return this.#hooks.some((hook) => hook(asked, request, response));
    });
  }

  count(...asked: readonly Asked[]): number {
    return this.seen.filter((one) => asked.length === 0 || asked.includes(one.asked)).length;
  }

  /** Forgets what it saw, and ends all faults. */
  clear(): void {
    this.seen.length = 0;
    this.answers.length = 0;
    this.#hooks.length = 0;
  }

  /**
   * Answers such requests with a fault: all of them, or `times` from number `from` on. Gives the number of those it
   * struck.
   */
  strike(
    where: Asked | ((asked: Asked, path: string) => boolean),
    fault: Fault,
    { from = 1, times = Number.POSITIVE_INFINITY }: { from?: number; times?: number } = {},
  ): () => number {
    let met = 0;
    let struck = 0;
    this.#hooks.push((asked, request, response) => {
      if (typeof where === "string" ? asked !== where : !where(asked, request.url!)) return false;
      met += 1;
      if (met < from || struck === times) return false;
      struck += 1;
      fault(response, SAMPLE, request);
      return true;
    });
    return () => struck;
  }

  /**
   * Changes the text of every good answer of the sandbox, its own headers kept, but for a signature over the text. `count`
   * is its number, as in `answers`.
   */
  rewrite(where: Asked, change: (text: string, count: number) => string): void {
    const signature = this.#signature;
    let count = 0;
    this.#hooks.push((asked, _request, response) => {
      if (asked !== where) return false;
      const { end } = response;
      response.end = function changed(this: ServerResponse, chunk: unknown) {
        if (this.statusCode !== 200) return end.call(this, chunk as string, "utf8");
        const text = change(String(chunk), count++);
        if (this.hasHeader("content-length")) this.setHeader("content-length", Buffer.byteLength(text));
        return end.call(this, text, "utf8");
      } as typeof end;
      const { writeHead } = response;
      // The length is known only when the text is.
      response.writeHead = function late(this: ServerResponse, status: number, headers: Record<string, string>) {
        const { "Content-Length": _, ...others } = headers;
        if (signature !== undefined) this.removeHeader(signature);
        return writeHead.call(this, status, others);
      } as typeof writeHead;
      return false;
    });
  }

  #keep(asked: Asked, response: ServerResponse): void {
    const { end } = response;
    const { answers } = this;
    response.end = function kept(this: ServerResponse, ...given: unknown[]) {
      if (this.statusCode === 200 && given[0] !== undefined) answers.push({ asked, text: String(given[0]) });
      return Reflect.apply(end, this, given);
    } as typeof end;
  }
}
