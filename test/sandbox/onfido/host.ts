/** The host that evidence files and signed documents are redirected to. It opens to a signature alone, and must never be sent the key. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { sendFile } from "../send.ts";
import { placeOf } from "./id.ts";
import type { Credentials } from "./keys.ts";
import type { Endpoint } from "./routes.ts";
import { opens } from "./secret.ts";
import type { Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

export interface HostOptions {
  readonly world: World;
  readonly shelf: Shelf;
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  readonly credentials: Credentials;
}

export class EvidenceHost {
  readonly #options: HostOptions;
  /** Requests that carried a key, or any Authorization: `<header or url> <path>`. */
  readonly leaks: string[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { world, shelf, faults, requests } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    if (faults.slow > 0) await delay(faults.slow);
    const refuse = (status: number) => {
      requests.count("evidence", status);
      response.writeHead(status).end();
    };
    if (this.#leaked(request, url)) return refuse(400);
    if (request.method !== "GET") return refuse(405);
    const failure = faults.fail();
    if (failure === "reset") {
      requests.count("evidence", "reset");
      request.socket.resetAndDestroy();
      return;
    }
    if (failure !== undefined) return refuse(failure);
    if (!opens(world.seed, url, world.now())) return refuse(403);
    const id = url.pathname.slice(1).replace(/\.pdf$/, "");
    const place = placeOf(world.seed, "evidence", id) ?? placeOf(world.seed, "signed", id);
    if (!place || !world.has(place.index)) return refuse(404);
    const slot = place.kind === "signed" ? "signed" : "evidence";
    if (slot === "evidence" && !shelf.hasEvidence(place.index)) return refuse(404);
    if (faults.withheld(url.pathname)) return refuse(403);
    requests.count("evidence", 200);
    sendFile(response, shelf.body(slot, place.index, place.at), faults.truncates());
  }

  #leaked(request: IncomingMessage, url: URL): boolean {
    const { apiKey, clientSecret } = this.#options.credentials;
    const isSecret = (text: string) => text.includes(apiKey) || text.includes(clientSecret);
    const header = Object.entries(request.headers).find(
      ([name, value]) => name === "authorization" || isSecret(String(value)),
    );
    const where = header?.[0] ?? (isSecret(url.href) ? "url" : undefined);
    if (where !== undefined) this.leaks.push(`${where} ${url.pathname}`);
    return where !== undefined;
  }
}
