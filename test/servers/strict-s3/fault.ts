import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Operation } from "./operation.ts";

/** A fault for requests of one operation or of any. The first that applies is used. */
export interface Fault {
  readonly operation?: Operation;
  /** How many requests fail. Undefined: all. */
  readonly times?: number;
  readonly fails: Failure;
}

export type Failure =
  /** Refuses the request with this error and does nothing. A status of 200 gives a 200 with an error in its body. */
  | { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> }
  /** Cuts the connection before doing anything. */
  | "reset"
  /** Does what was asked and cuts the connection before the answer. */
  | "lost-answer"
  /** Does what was asked and never answers. */
  | "stall"
  /** Sends the headers and half of the body, then nothing. */
  | "stalled-body"
  /** Sends the headers and half of the body, then closes the connection. */
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

/** Sends an answer, or the part of it that the failure allows. */
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
