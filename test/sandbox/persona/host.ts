/** The files' host. It is not the API's, opens to a token alone, and must never be sent the key. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { sendFile } from "../send.ts";
import type { Endpoint } from "./routes.ts";
import type { Shelf } from "./slot.ts";
import { tokenOpens } from "./token.ts";
import type { World } from "./world.ts";

export interface HostOptions {
  readonly world: World;
  readonly shelf: Shelf;
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  readonly apiKey: string;
}

export class FilesHost {
  readonly #options: HostOptions;
  /** Requests that carried the key, or any Authorization: `<header or url> <path without its token>`. */
  readonly leaks: string[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { world, shelf, faults, requests } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    if (faults.slow > 0) await delay(faults.slow);
    const refuse = (status: number) => {
      requests.count("file", status);
      response.writeHead(status).end();
    };
    if (this.#leaked(request, url)) return refuse(400);
    if (request.method !== "GET") return refuse(405);
    const failure = faults.fail();
    if (failure === "reset") {
      requests.count("file", "reset");
      request.socket.resetAndDestroy();
      return;
    }
    if (failure !== undefined) return refuse(failure);
    const name = url.pathname.slice(1);
    const token = url.searchParams.get("access_token") ?? "";
    if (!tokenOpens(world.seed, name, token, world.now())) return refuse(403);
    const slot = shelf.find(name);
    if (!slot) return refuse(404);
    if (faults.withheld(name)) return refuse(403);
    requests.count("file", 200);
    sendFile(response, shelf.body(slot), faults.truncates());
  }

  #leaked(request: IncomingMessage, url: URL): boolean {
    const { apiKey } = this.#options;
    const header = Object.entries(request.headers).find(
      ([name, value]) => name === "authorization" || String(value).includes(apiKey),
    );
    const where = header?.[0] ?? (url.href.includes(apiKey) ? "url" : undefined);
    if (where !== undefined) this.leaks.push(`${where} ${url.pathname}`);
    return where !== undefined;
  }
}
