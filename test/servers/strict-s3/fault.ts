import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Operation } from "./operation.ts";

/** Something that goes wrong with requests of one operation, or of any; the first that applies is used. */
export interface Fault {
  readonly operation?: Operation;
  /** How many requests it befalls; without it, all. */
  readonly times?: number;
  readonly fails: Failure;
}

export type Failure =
  /** The request is refused with this error; nothing was done. A status of 200 gives an error in the body of a success. */
  | { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> }
  /** The connection is cut before anything is done. */
  | "reset"
  /** What was asked is done, and the connection is cut before the answer. */
  | "lost-answer"
  /** What was asked is done, and no answer comes. */
  | "stall"
  /** The headers and half of the body come, and then nothing. */
  | "stalled-body"
  /** The headers and half of the body come, and then the connection is closed. */
  | "cut-body";

export class Faults {
  #left: { fault: Fault; times: number }[] = [];

  set(faults: readonly Fault[]): void {
    this.#left = faults.map((fault) => ({ fault, times: fault.times ?? Number.POSITIVE_INFINITY }));
  }

  take(operation: Operation): Failure | undefined {
    const next = this.#left.find(
      ({ fault, times }) => times > 0 && (fault.operation === undefined || fault.operation === operation),
    );
    if (next === undefined) return undefined;
    next.times -= 1;
    return next.fault.fails;
  }
}

/** Sends an answer, or what a failure leaves of it. */
export function send(response: ServerResponse, answer: Answer, failure: Failure | undefined, headOnly: boolean): void {
  if (failure === "stall") return;
  if (failure === "lost-answer") {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = answer.body ?? new Uint8Array();
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.status === 204 ? {} : { "content-length": String(body.length) }),
    "x-amz-request-id": "STRICT",
  });
  if (headOnly) {
    response.end();
  } else if (failure === "stalled-body" || failure === "cut-body") {
    const half = body.subarray(0, body.length >> 1);
    response.write(half, () => {
      if (failure === "cut-body") response.socket?.end();
    });
  } else {
    response.end(body);
  }
}
