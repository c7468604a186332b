import { HoldfastError } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { Http, type HttpOptions } from "../http.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { FetchedFile, FetchedIdentity, FetchedResources, Page, Project, Source } from "../source.ts";
import { parseIdentity, parseProject, parseResourcePage, readIdentityPage } from "./answers.ts";

/** Identities per page: fewer pages make a night without changes cheaper. */
const PAGE = 100;
/** After this many pages in a row without a new identity, the list is endless. */
const STALE_PAGES = 100;
/**
 * Maximum size of one answer about an identity, in bytes, and of all its resources together, in characters. They are in
 * memory several times while they are sealed into a record, for as many identities as are processed in parallel.
 */
const MAX_ANSWER = 1024 * 1024;
const MAX_RESOURCES = 2 * 1024 * 1024;
/** Maximum size of a page of the list. It is read while it arrives, and `ListReader` holds less of it. */
const MAX_PAGE = 256 * 1024 * 1024;

/** Passbase Verification API v2. It cannot filter by date: `pages` lists everything and ignores `since`. */
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

  /** The current rate and its limit; `limitsText` shows it. */
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
      throw new HoldfastError("source-response", "GET /identities/{id}: the answer is for another identity", {
        hint: "The provider mixed up two answers; the next run tries again.",
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
 * Follows a cursor, and stops if it goes in circles: if a cursor comes back, or if too many pages in a row are empty or
 * start like an earlier page. A few such pages are normal (pages shift; a filter may leave one empty).
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

  /** @param first the first id on the page; undefined if the page is empty */
  advance(next: string | null, first: string | undefined): void {
    this.#stale = first === undefined || this.#begun.has(first) ? this.#stale + 1 : 0;
    if (first !== undefined) this.#begun.add(first);
    this.cursor = next;
    if (next === null) return;
    if (this.#seen.has(next)) throw this.#broken("a page cursor was repeated");
    if (this.#stale >= STALE_PAGES) throw this.#broken(`${STALE_PAGES} pages in a row had nothing new`);
    this.#seen.add(next);
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError("source-response", `${this.#name}: ${what}`, {
      hint: "The provider's paging is broken. Try again later; everything exported so far is kept.",
    });
  }
}
