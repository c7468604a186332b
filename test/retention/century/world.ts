/** The century's provider: people who appear over the years, change, and are deleted, behind Passbase's API. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Random } from "../../sandbox/random.ts";

export interface Person {
  readonly index: number;
  readonly id: string;
  /** When the provider first has them, in seconds. */
  readonly arrives: number;
  readonly revisions: Revision[];
  /** When the provider deletes them. */
  vanished: boolean;
}

export interface Revision {
  readonly updated: number;
  readonly files: readonly { readonly id: string; readonly updated: number }[];
}

const KEY = "century-secret";
const BASE = "/verification/v2";

export class World implements AsyncDisposable {
  readonly people: Person[] = [];
  readonly apiKey = KEY;
  readonly #seed: number;
  #now = 0;
  readonly #server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => this.#answer(request, response));

  /** @param from they appear between these two times, in seconds */
  constructor(seed: number, people: number, from: number, to: number) {
    this.#seed = seed;
    const random = new Random(seed, 1);
    const arrivals = Array.from({ length: people }, () => Math.floor(random.between(from, to))).sort((a, b) => a - b);
    for (const [index, arrives] of arrivals.entries()) {
      const id = uuid(new Random(seed, 2, index));
      const files = Array.from({ length: random.integer(0, 3) }, () => ({ id: uuid(random), updated: arrives }));
      this.people.push({ index, id, arrives, revisions: [{ updated: arrives + 60, files }], vanished: false });
    }
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${BASE}`;
  }

  set now(seconds: number) {
    this.#now = seconds;
  }

  /** The people in the API now. */
  present(): Person[] {
    return this.people.filter(({ vanished, revisions }) => !vanished && revisions[0]!.updated <= this.#now);
  }

  /** A new version: a file may be removed, and one added. */
  revise(person: Person, random: Random): void {
    const { files } = person.revisions.at(-1)!;
    const kept = random.chance(30) ? files.slice(1) : files;
    const more = random.chance(50) ? [{ id: uuid(random), updated: this.#now - 90 }] : [];
    person.revisions.push({ updated: this.#now - 60, files: [...kept, ...more] });
  }

  #answer(request: IncomingMessage, response: ServerResponse): ServerResponse {
    const url = new URL(request.url ?? "/", "http://world");
    const [what, id, , , , file] = url.pathname.slice(BASE.length + 1).split("/");
    const send = (status: number, body: unknown): ServerResponse => {
      response.writeHead(status, { "content-type": "application/json" });
      return response.end(JSON.stringify(body));
    };
    if (request.headers["x-api-key"] !== KEY) return send(401, {});
    if (what === "settings") return send(200, { id: "century", slug: "century", environment: "sandbox" });
    if (what === "identities" && id === undefined) {
      const after = Number(url.searchParams.get("cursor") || 0);
      const limit = Number(url.searchParams.get("limit") || 100);
      const all = this.present();
      const next = after + limit < all.length ? String(after + limit) : null;
      return send(200, { cursor: { next }, data: all.slice(after, after + limit).map(identityOf) });
    }
    const person = this.present().find((each) => each.id === id);
    if (!person) return send(404, {});
    if (what === "identities") return send(200, identityOf(person));
    if (file === undefined) return send(200, { cursor: { next: null }, data: [resourceOf(person)] });
    if (!person.revisions.at(-1)!.files.some((each) => each.id === file)) return send(404, {});
    response.writeHead(200, { "content-type": "image/png" });
    return response.end(this.#bytes(file));
  }

  #bytes(file: string): Buffer {
    const random = new Random(this.#seed, 3, Number.parseInt(file.slice(0, 8), 16));
    return Buffer.from(Uint32Array.from({ length: random.integer(50, 400) }, () => random.bits()).buffer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function uuid(random: Random): string {
  const hex = (digits: number): string => random.string("0123456789abcdef", digits);
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}

function identityOf({ index, id, arrives, revisions }: Person) {
  return {
    ...{ id, status: "approved", created: arrives, updated: revisions.at(-1)!.updated, score: 0.9 },
    owner: { email: `person${index}@example.com`, first_name: "Ann", last_name: `Example ${index}` },
    resources: [{ type: "PASSPORT", datapoints: { document_number: `P${index}`, version: revisions.length } }],
    metadata: { customer_id: `C-${index}` },
  };
}

function resourceOf({ id, arrives, revisions }: Person) {
  const { updated, files } = revisions.at(-1)!;
  return {
    ...{ id: `${id}-1`, status: "verified", type: "PASSPORT", created: arrives, updated },
    resource_files: files.map((file, page) => ({ ...file, type: "document_image", page, created: arrives })),
  };
}
