import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "./counters.ts";
import type { FaultInjector } from "./faults.ts";
import type { FileBody } from "./files.ts";
import { leakIn } from "./leak.ts";
import { sendFile } from "./send.ts";

export interface FileHostOptions<Endpoint extends string> {
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  /** What its requests count as. */
  readonly endpoint: Endpoint;
  readonly secrets: readonly string[];
  /** The file that a URL opens, or the status of the refusal. */
  readonly find: (url: URL) => FileBody | 403 | 404;
}

/** A host of files that is not the API's: it opens to what its URL says, and must never be sent the key. */
export class FileHost<Endpoint extends string> {
  readonly #options: FileHostOptions<Endpoint>;
  /** Requests that carried a key, or any Authorization: `<header or url> <path>`. */
  readonly leaks: string[] = [];

  constructor(options: FileHostOptions<Endpoint>) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults, requests, endpoint, secrets, find } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    if (faults.slow > 0) await delay(faults.slow);
    const refuse = (status: number) => {
      requests.count(endpoint, status);
      response.writeHead(status).end();
    };
    const leak = leakIn(request, url, secrets);
    if (leak !== undefined) {
      this.leaks.push(`${leak} ${url.pathname}`);
      return refuse(400);
    }
    if (request.method !== "GET") return refuse(405);
    const failure = faults.fail();
    if (failure === "reset") {
      requests.count(endpoint, "reset");
      request.socket.resetAndDestroy();
      return;
    }
    if (failure !== undefined) return refuse(failure);
    const found = find(url);
    if (typeof found === "number") return refuse(found);
    requests.count(endpoint, 200);
    sendFile(response, found, faults.truncates());
  }
}
