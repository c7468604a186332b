import type { Headers } from "./rate/rate-headers.ts";

/** The head of an answer: all that limits are learned from. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

/** To be told of the answer to one request, as soon as its status and headers are there. */
export type Answered = (answer: Answer) => void;
