import { HoldfastError, hasCode } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { plainId } from "../answer.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import { PageCursor } from "../page-cursor.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck } from "../source.ts";
import { INQUIRIES, inquiriesCall, isRefusal, SEARCH, searchCall } from "./calls.ts";
import { checkKey } from "./checks.ts";
import { comparable } from "./content.ts";
import { FileUrls } from "./file-urls.ts";
import { filesOf } from "./files.ts";
import { type Ask, Gathering } from "./gathering.ts";
import { type Completed, identityOf } from "./identity.ts";
import { type InquiryPage, readInquiryPage } from "./listing.ts";
import { isOpen } from "./open.ts";
import { projectOf } from "./project.ts";

export interface PersonaOptions extends HttpOptions {
  /** What status `completed` says. Default `undecided`. */
  readonly completed?: Completed;
  readonly now?: () => Temporal.Instant;
}

/** The version whose answers this driver reads. Without it, settings of the key in the dashboard decide. */
const HEADERS = { "persona-version": "2025-12-08", "key-inflection": "kebab" };
/** Inquiries per page, the most that Persona sends. */
const PAGE = 100;
/** Maximum size of one answer about an inquiry, in bytes; of a page of the list, which is read while it arrives. */
const MAX_ANSWER = 1024 * 1024;
const MAX_PAGE = 256 * 1024 * 1024;
/** A change can be searched a minute later, and later still while Persona has trouble. */
const OVERLAP = Temporal.Duration.from({ hours: 1 });
const FILE = "GET https://files.withpersona.com/{file}";

/** Persona's API v1. One identity is one inquiry, with everything that belongs to it. */
export class PersonaSource implements Source {
  readonly kind = "persona";
  readonly can = { list: true, changes: true };
  readonly api: string;
  readonly #http: Http;
  readonly #options: PersonaOptions;
  /** In memory only: URLs contain a token. */
  readonly #urls = new WeakMap<FileRef, FileUrls>();

  readonly #ask: Ask = async (call) => (await this.#http.text(call, MAX_ANSWER)).text;

  constructor(options: PersonaOptions) {
    this.api = options.url;
    this.#options = options;
    const auth = { kind: "scheme", scheme: "Bearer" } as const;
    this.#http = new Http({ ...options, auth, headers: HEADERS, saysMissing: isRefusal });
  }

  get requests(): number {
    return this.#http.requests;
  }

  get limits(): LimitsView {
    return this.#http.limits;
  }

  project(): Promise<Project> {
    return projectOf(this.#options.apiKey, (call) => this.#http.text(call, MAX_ANSWER));
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const walk = new PageCursor(INQUIRIES, cursor);
    do {
      const page = await this.#http.read(inquiriesCall(PAGE, walk.cursor), MAX_PAGE, (chunks) =>
        readInquiryPage(INQUIRIES, chunks),
      );
      walk.advance(page.cursor, page.identities[0]?.id ?? page.unread[0]);
      yield { ...page, whole: true };
    } while (walk.cursor !== null);
  }

  async *changes(since: Temporal.Instant): AsyncGenerator<readonly Change[]> {
    const from = since.subtract(OVERLAP).toString({ fractionalSecondDigits: 3 });
    const walk = new PageCursor(SEARCH);
    let told: ReadonlySet<string> = new Set();
    let after: string | null = null;
    do {
      const page: InquiryPage = await this.#http.read(searchCall(from, PAGE, after), MAX_PAGE, (chunks) =>
        readInquiryPage(SEARCH, chunks),
      );
      const found = [
        ...page.identities.map(({ id, updated }) => ({ id, at: updated })),
        ...page.unread.map((id) => ({ id, at: from })),
      ];
      const news = found.filter(({ id, at }) => !told.has(`${id} ${at}`));
      told = new Set(found.map(({ id, at }) => `${id} ${at}`));
      // Someone who changes meanwhile moves to the end and may be the last row again, then with a later time.
      after = page.cursor;
      const last = found.find(({ id }) => id === after);
      walk.advance(after === null ? null : `${after} ${last?.at}`, news[0] && `${news[0].id} ${news[0].at}`);
      if (news.length > 0) yield news;
    } while (after !== null);
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    if (!plainId.safeParse(id).success)
      throw new HoldfastError("source-missing", "no inquiry of Persona has an id like this");
    const gathering = new Gathering(this.#ask);
    const inquiry = await gathering.inquiry(id, full);
    const { resources } = gathering;
    const files = full ? filesOf(resources).map(({ ref }) => ref) : [];
    const shown = files.length === 0 ? [] : gathering.shown.map((each) => new FileUrls(this.#ask, each));
    for (const file of files) {
      const urls = shown.findLast((each) => each.has(file.id));
      if (urls) this.#urls.set(file, urls);
    }
    const now = this.#options.now?.() ?? Temporal.Now.instant();
    return {
      identity: identityOf(inquiry, resources, this.#options.completed ?? "undecided"),
      answers: gathering.answers,
      content: gathering.content,
      listed: comparable(inquiry.raw),
      files,
      open: isOpen(resources, now),
      redacted: inquiry.attributes["redacted-at"] != null,
      gaps: [...gathering.gaps],
    };
  }

  async file(identity: string, file: FileRef): Promise<FetchedFile> {
    const urls = this.#urls.get(file) ?? (await this.#urlsOf(identity, file));
    const url = await urls.url(file.id);
    try {
      return await this.#http.elsewhere(FILE, url);
    } catch (error) {
      if (!hasCode(error, "source-denied", "source-missing")) throw error;
      return await this.#http.elsewhere(FILE, await urls.url(file.id, url));
    }
  }

  /** What the key lacks. Makes a few requests and keeps none of the answers. */
  checks(): Promise<readonly SourceCheck[]> {
    return checkKey(this.#ask);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** A file of a dossier that is no longer in memory. */
  async #urlsOf(identity: string, file: FileRef): Promise<FileUrls> {
    const { files } = await this.dossier(identity, { full: true });
    const again = files.find(({ id }) => id === file.id);
    const urls = again && this.#urls.get(again);
    if (urls) return urls;
    throw new HoldfastError("source-missing", `${FILE}: the inquiry no longer names this file`);
  }
}
