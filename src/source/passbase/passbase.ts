import { HoldfastError } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { Http, type HttpOptions } from "../http.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { FetchedFile, FetchedIdentity, FetchedResources, Page, Project, Source } from "../source.ts";
import { parseIdentity, parseProject, parseResourcePage, readIdentityPage } from "./answers.ts";

/** Identities to a page: the fewer pages, the cheaper the night on which nothing changed. */
const PAGE = 100;
/** Pages in a row that list nothing new, after which the list has no end. */
const STALE_PAGES = 100;
/**
 * No answer about one identity is larger, in bytes, and all of its resources together are not, in characters. They are
 * held several times over while they are sealed into one record, and this for as many identities as are under way.
 */
const MAX_ANSWER = 1024 * 1024;
const MAX_RESOURCES = 2 * 1024 * 1024;
/** A page of the list is read while it arrives, and may be as large as this; what is held of it is less (`ListReader`). */
const MAX_PAGE = 256 * 1024 * 1024;

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

  /** The rate now and what it is bounded by; `limitsText` shows it. */
  get limits(): LimitsView {
    return this.#http.limits;
  }

  async project(): Promise<Project> {
    return parseProject(await this.#http.text("GET /settings", "/settings", MAX_ANSWER));
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const walk = new Walk("GET /identities", cursor);
    do {
      const query = walk.cursor === null ? "" : `&cursor=${encodeURIComponent(walk.cursor)}`;
      const path = `/identities?limit=${PAGE}${query}`;
      const { next, ...page } = await this.#http.read("GET /identities", path, MAX_PAGE, readIdentityPage);
      walk.advance(next, page.identities[0]?.id ?? page.unread[0]);
      yield { ...page, cursor: next };
    } while (walk.cursor !== null);
  }

  async identity(id: string): Promise<FetchedIdentity> {
    const text = await this.#http.text("GET /identities/{id}", `/identities/${encodeURIComponent(id)}`, MAX_ANSWER);
    const answer = parseIdentity(text);
    if (answer.identity.id !== id) {
      throw new HoldfastError("source-response", "GET /identities/{id}: the answer is another identity", {
        hint: "The provider mixed up two answers; the next run asks again.",
      });
    }
    return { text, ...answer };
  }

  async resources(id: string): Promise<FetchedResources> {
    const name = "GET /identity/{id}/resources";
    const walk = new Walk(name);
    const texts: string[] = [];
    const files: FileRef[] = [];
    let size = 0;
    do {
      const query = walk.cursor === null ? "" : `?cursor=${encodeURIComponent(walk.cursor)}`;
      const text = await this.#http.text(name, `/identity/${encodeURIComponent(id)}/resources${query}`, MAX_ANSWER);
      const page = parseResourcePage(text);
      size += text.length;
      if (size > MAX_RESOURCES)
        throw new HoldfastError("source-response", `${name}: the answers are larger than 2 MiB`);
      texts.push(text);
      files.push(...page.files);
      walk.advance(page.next, page.first);
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

/**
 * Follows a cursor, and refuses to go in circles: a cursor that comes back, or pages in a row that begin as one before
 * them did, or are empty. Few of these are honest (pages shift; a filter may leave one empty); forever is not.
 */
class Walk {
  readonly #name: string;
  readonly #seen = new Set<string>();
  readonly #begun = new Set<string>();
  #stale = 0;
  cursor: string | null;

  constructor(name: string, cursor: string | null = null) {
    this.#name = name;
    this.cursor = cursor;
    if (cursor !== null) this.#seen.add(cursor);
  }

  /** @param first the id that the page begins with; undefined when it is empty */
  advance(next: string | null, first: string | undefined): void {
    this.#stale = first === undefined || this.#begun.has(first) ? this.#stale + 1 : 0;
    if (first !== undefined) this.#begun.add(first);
    this.cursor = next;
    if (next === null) return;
    if (this.#seen.has(next)) throw this.#broken("a page cursor came back a second time");
    if (this.#stale >= STALE_PAGES) throw this.#broken(`${STALE_PAGES} pages in a row listed nothing new`);
    this.#seen.add(next);
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError("source-response", `${this.#name}: ${what}`, {
      hint: "The provider's paging is broken; try again later. What was exported so far is kept.",
    });
  }
}
