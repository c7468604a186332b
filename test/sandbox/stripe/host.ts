/** The files' host: contents with the key, and links that open to anyone, for which no one should send the key. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { leakIn } from "../leak.ts";
import { sendFile, sendJson } from "../send.ts";
import { keyOf } from "./api.ts";
import type { Rights } from "./key.ts";
import type { Limits } from "./limits.ts";
import {
  broken,
  forbidden,
  missing,
  noKey,
  Refusal,
  tooMany,
  unavailable,
  unknownPath,
  wrongAddress,
  wrongKey,
} from "./refusal.ts";
import type { Endpoint } from "./routes.ts";
import { tokenOf } from "./secret.ts";
import type { Shelf, Slot } from "./slot.ts";
import type { World } from "./world.ts";

export interface HostOptions {
  readonly world: World;
  readonly shelf: Shelf;
  readonly faults: FaultInjector;
  readonly limits: Limits;
  readonly requests: Counters<Endpoint>;
  readonly apiKey: string;
  readonly connected: string | undefined;
  readonly rights: () => Rights;
}

export const fileEndpointOf = (pathname: string): Endpoint =>
  pathname.startsWith("/links/") ? "link" : /^\/v1\/files\/\w+\/contents$/.test(pathname) ? "contents" : "other";

export class FilesHost {
  readonly #options: HostOptions;
  /** Requests by a link that carried the key, or any Authorization: `<header or url>`. */
  readonly leaks: string[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { shelf, faults, requests } = this.#options;
    const url = new URL(request.url ?? "/", "http://sandbox");
    const endpoint = fileEndpointOf(url.pathname);
    if (faults.slow > 0) await delay(faults.slow);
    try {
      const slot = this.#admit(request, url, endpoint);
      const failure = faults.fail();
      if (failure === "reset") {
        requests.count(endpoint, "reset");
        request.socket.resetAndDestroy();
        return;
      }
      if (failure !== undefined)
        throw failure === 429 ? tooMany("endpoint-rate") : failure === 500 ? broken() : unavailable();
      requests.count(endpoint, 200);
      sendFile(response, shelf.body(slot), faults.truncates());
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      requests.count(endpoint, refusal.status);
      sendJson(response, refusal.status, refusal.body, refusal.headers);
    }
  }

  /** The file that the request may read. */
  #admit(request: IncomingMessage, url: URL, endpoint: Endpoint): Slot {
    const { world, shelf, limits, faults } = this.#options;
    const reason = limits.take(endpoint);
    if (reason !== undefined) throw tooMany(reason);
    if (endpoint === "other" || request.method !== "GET") throw unknownPath(request.method ?? "", url.pathname);
    const id = endpoint === "link" ? this.#linked(request, url) : url.pathname.split("/")[3]!;
    if (endpoint === "contents") this.#checkKey(request);
    const slot = shelf.find(id);
    if (!slot || world.size === 0) throw missing("file upload", id, "file");
    if (faults.withheld(id)) throw new Refusal(403, "This file cannot be downloaded.");
    return slot;
  }

  #checkKey(request: IncomingMessage): void {
    const { apiKey, rights, connected } = this.#options;
    const key = keyOf(request);
    if (key === undefined) throw noKey();
    if (key !== apiKey) throw wrongKey(key);
    const { addressAllowed, files, contents } = rights();
    if (!addressAllowed) throw wrongAddress(key);
    if (files === "none" || !contents) throw forbidden(key, "rak_file_read");
    if (connected !== undefined && request.headers["stripe-account"] !== connected) throw missing("file", "", "file");
  }

  #linked(request: IncomingMessage, url: URL): string {
    const { world, apiKey } = this.#options;
    const leak = leakIn(request, url, [apiKey]);
    if (leak !== undefined) {
      this.leaks.push(leak);
      throw new Refusal(400, "The key was sent with a link.");
    }
    const found = tokenOf(world.seed, url.pathname.split("/").at(-1)!);
    if (!found) throw missing("file link", "", "link");
    if (world.now() >= found.expires * 1000) throw new Refusal(404, "The link has expired.");
    return found.file;
  }
}
