import type { Dispatcher } from "undici";
import type { HoldfastError } from "../core/error.ts";
import { isTooSlow, tooLarge, tooSlow } from "./http-errors.ts";

/** What limits the reading of a body. */
export interface BodyBounds {
  /** The endpoint, for errors. */
  readonly name: string;
  /** Most bytes. */
  readonly limit: number;
  /** Maximum wait for the source, in ms, before a slow body is too slow. */
  readonly patience: number;
  readonly lost: (error: unknown) => HoldfastError;
}

const SHORT = 64 * 1024;

/** At most `limit` bytes. Not a generator: one abandoned before its first chunk would keep the connection forever. */
export function bounded(
  body: Dispatcher.ResponseData["body"],
  { name, limit, patience, lost }: BodyBounds,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
      const leave = () => body.once("error", () => {}).destroy();
      let size = 0;
      // The time spent waiting for the source; the reader's own time does not count.
      let waited = 0;
      return {
        next: async () => {
          const begun = performance.now();
          const next = await iterator.next().catch((error: unknown) => {
            throw lost(error);
          });
          if (next.done) return next;
          size += next.value.length;
          waited += performance.now() - begun;
          const failure = size > limit ? tooLarge(name, limit) : isTooSlow(size, waited, patience) && tooSlow(name);
          if (!failure) return next;
          leave();
          throw failure;
        },
        return: async () => {
          leave();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The JSON of an error's body; undefined if it is no JSON, or longer than any such answer. */
export async function shortAnswer(body: Dispatcher.ResponseData["body"]): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > SHORT) return undefined;
      parts.push(chunk);
    }
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)));
  } catch {
    return undefined;
  }
}
