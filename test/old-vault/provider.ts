import { encodePng } from "../sandbox/png.ts";
import { type Interceptor, sendJson } from "../sandbox/send.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import type { WireResource } from "../sandbox/wire.ts";

/** What happened to whom in the old vault, by their index in the sandbox. */
export const PERSON = { changed: 1, withheld: 3, held: 4, ended: 5, purged: 6, gone: 11 } as const;
export const PEOPLE = 12;
/** The address in the old config. A test puts its own provider's in its place. */
export const ADDRESS = "127.0.0.1:47711";

/**
 * The provider of the old vault, with a clock for both sides: its answers have the clock's date, as the program checks
 * its own clock against them. Files are small, so that the vault is.
 */
export class OldProvider implements AsyncDisposable {
  readonly sandbox: Sandbox;
  #now: Temporal.Instant;
  readonly #altered = new Map<string, WireResource[]>();
  #withholds = true;

  private constructor(sandbox: Sandbox, now: Temporal.Instant) {
    this.sandbox = sandbox;
    this.#now = now;
    sandbox.intercept(this.#answer);
  }

  static async start(now: string): Promise<OldProvider> {
    const sandbox = await startSandbox({ identities: PEOPLE, seed: 19 });
    return new OldProvider(sandbox, Temporal.Instant.from(now));
  }

  readonly now = (): Temporal.Instant => this.#now;

  /** Sets the clock to this time, on both sides. */
  sets(now: string): void {
    this.#now = Temporal.Instant.from(now);
  }

  /** Everything that changed at the provider while the old version of the program exported from it. */
  catchUp(): void {
    this.sandbox.change([PERSON.changed]);
    this.sandbox.vanish([PERSON.gone]);
  }

  /** From now on this person's resources are another list; everything else about the person is as before. */
  alter(index: number, change: (resources: WireResource[]) => WireResource[]): void {
    this.#altered.set(this.sandbox.identity(index).id, change(this.sandbox.resources(index)));
  }

  /** From now on the provider hands out the files that it withheld. */
  grant(): void {
    this.#withholds = false;
  }

  readonly #answer: Interceptor = (request, response) => {
    response.setHeader("Date", new Date(this.#now.epochMilliseconds).toUTCString());
    const [, asked] = /\/identity\/([^/]+)\/resources$/.exec(request.url ?? "") ?? [];
    const altered = this.#altered.get(asked ?? "");
    if (altered) {
      sendJson(response, 200, JSON.stringify({ cursor: { next: null }, data: altered }));
      return true;
    }
    const path = /\/identity\/([^/]+)\/resources\/[^/]+\/resource_files\/([^/?]+)$/.exec(request.url ?? "");
    if (!path) return false;
    const [, identity, file] = path;
    if (this.#withholds && identity === this.sandbox.identity(PERSON.withheld).id) {
      response
        .writeHead(403, { "Content-Type": "application/json" })
        .end('{"error":{"code":403,"message":"not granted"}}');
      return true;
    }
    response.writeHead(200, { "Content-Type": "image/png" }).end(smallPicture(file!));
    return true;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox.close();
  }
}

function smallPicture(label: string): Buffer {
  return encodePng(16, 10, new Uint8Array(16 * 10 * 3).fill(0xb0), label);
}
