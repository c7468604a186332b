import { HoldfastError } from "../../error.ts";
import type { FileRef } from "../../identity.ts";
import type { FetchedFile, FetchedIdentity, FetchedResources, Page, Project, Source } from "../source.ts";
import { parseIdentity, parseIdentityPage, parseProject, parseResourcePage } from "./answers.ts";
import { Http, type HttpOptions } from "./http.ts";

/** Identities to a page: the fewer pages, the cheaper the night on which nothing changed. */
const PAGE = 100;

/** Passbase Verification API v2. It has no filter by date: `pages` lists everything and `since` is not used. */
export class PassbaseSource implements Source {
  readonly kind = "passbase";
  readonly api: string;
  readonly #http: Http;

  constructor(options: HttpOptions) {
    this.api = options.url;
    this.#http = new Http(options);
  }

  get requests(): number {
    return this.#http.requests;
  }

  async project(): Promise<Project> {
    return parseProject(await this.#http.text("GET /settings", "/settings"));
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const walk = new Walk("GET /identities", cursor);
    do {
      const query = walk.cursor === null ? "" : `&cursor=${encodeURIComponent(walk.cursor)}`;
      const { identities, next } = parseIdentityPage(
        await this.#http.text("GET /identities", `/identities?limit=${PAGE}${query}`),
      );
      walk.advance(next);
      yield { identities, cursor: next };
    } while (walk.cursor !== null);
  }

  async identity(id: string): Promise<FetchedIdentity> {
    const text = await this.#http.text("GET /identities/{id}", `/identities/${encodeURIComponent(id)}`);
    const answer = parseIdentity(text);
    if (answer.identity.id !== id) {
      throw new HoldfastError("source-response", "GET /identities/{id}: the answer is another identity", {
        mend: "The provider mixed up two answers; the next run asks again.",
      });
    }
    return { text, ...answer };
  }

  async resources(id: string): Promise<FetchedResources> {
    const name = "GET /identity/{id}/resources";
    const walk = new Walk(name);
    const texts: string[] = [];
    const files: FileRef[] = [];
    do {
      const query = walk.cursor === null ? "" : `?cursor=${encodeURIComponent(walk.cursor)}`;
      const text = await this.#http.text(name, `/identity/${encodeURIComponent(id)}/resources${query}`);
      const page = parseResourcePage(text);
      texts.push(text);
      files.push(...page.files);
      walk.advance(page.next);
    } while (walk.cursor !== null);
    return { texts, files };
  }

  async file(identity: string, { resource, id }: FileRef): Promise<FetchedFile> {
    const path = `/identity/${encodeURIComponent(identity)}/resources/${encodeURIComponent(resource)}/resource_files/${encodeURIComponent(id)}`;
    return this.#http.stream("GET …/resource_files/{fid}", path);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

/** Follows a cursor, and refuses to go in circles. */
class Walk {
  readonly #name: string;
  readonly #seen = new Set<string>();
  cursor: string | null;

  constructor(name: string, cursor: string | null = null) {
    this.#name = name;
    this.cursor = cursor;
    if (cursor !== null) this.#seen.add(cursor);
  }

  advance(next: string | null): void {
    if (next !== null && this.#seen.has(next)) {
      throw new HoldfastError("source-response", `${this.#name}: a page cursor came back a second time`, {
        mend: "The provider's paging is broken; try again later. What was exported so far is kept.",
      });
    }
    if (next !== null) this.#seen.add(next);
    this.cursor = next;
  }
}
