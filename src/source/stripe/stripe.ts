import { HoldfastError } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import { PageCursor } from "../page-cursor.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Apart, Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck } from "../source.ts";
import { id as idSchema } from "./answers.ts";
import { EVENTS, eventsCall, isRefusal, SESSIONS, sessionsCall } from "./calls.ts";
import { checkKey } from "./checks.ts";
import { FileContents } from "./contents.ts";
import { filesOf } from "./files.ts";
import { type Ask, Gathering } from "./gathering.ts";
import { identityOf } from "./identity.ts";
import { ENDPOINTS, limitMeant } from "./limits.ts";
import { listedSession, readEventPage, readSessionPage } from "./listing.ts";
import { projectOf } from "./project.ts";
import { SensitiveRight } from "./sensitive-right.ts";

export interface StripeOptions extends HttpOptions {
  /** The connected account whose sessions to read. Default: the key's own account. */
  readonly account?: string | undefined;
  readonly now?: () => Temporal.Instant;
}

/** The version whose answers this driver reads. Without it, the account's settings decide. */
const VERSION = { "stripe-version": "2026-10-28.endive" };
/** Sessions and events per page, the most that Stripe sends. */
const PAGE = 100;
/** Maximum size of one answer about a session, in bytes; of a page of a list, which is read while it arrives. */
const MAX_ANSWER = 1024 * 1024;
const MAX_PAGE = 256 * 1024 * 1024;
/** An event can come late while Stripe has trouble. */
const OVERLAP = Temporal.Duration.from({ hours: 1 });
/** Stripe lists events of 30 days; the last of them may be gone while they are read. */
const KEPT = Temporal.Duration.from({ hours: 29 * 24 });

/** Stripe Identity. One identity is one verification session, with the reports of all its attempts. */
export class StripeSource implements Source {
  readonly kind = "stripe";
  readonly can = { list: true, changes: true };
  readonly api: string;
  readonly #http: Http;
  readonly #options: StripeOptions;
  readonly #contents: FileContents;
  readonly #right = new SensitiveRight(() => this.#now());

  readonly #ask: Ask = async (call) => (await this.#http.text(call, MAX_ANSWER)).text;

  constructor(options: StripeOptions) {
    this.api = options.url;
    this.#options = options;
    const { account } = options;
    const headers = { ...VERSION, ...(account === undefined ? {} : { "stripe-account": account }) };
    const auth = { kind: "scheme", scheme: "Bearer" } as const;
    this.#http = new Http({ ...options, auth, headers, endpoints: ENDPOINTS, limitMeant, saysMissing: isRefusal });
    this.#contents = new FileContents(this.#http, this.#ask, this.api);
  }

  get requests(): number {
    return this.#http.requests;
  }

  get limits(): LimitsView {
    return this.#http.limits;
  }

  get apart(): readonly Apart[] {
    return this.#http.apart;
  }

  project(): Promise<Project> {
    return projectOf(this.#options.apiKey, this.#options.account, this.#ask);
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const walk = new PageCursor(SESSIONS, cursor);
    do {
      const page = await this.#http.read(sessionsCall(PAGE, walk.cursor), MAX_PAGE, (chunks) =>
        readSessionPage(SESSIONS, chunks),
      );
      walk.advance(page.cursor, page.identities[0]?.id ?? page.unread[0]);
      // Newest first by an id: who is new meanwhile comes before the start, and nothing shifts.
      yield { ...page, whole: true };
    } while (walk.cursor !== null);
  }

  async *changes(since: Temporal.Instant): AsyncGenerator<readonly Change[]> {
    const from = since.subtract(OVERLAP);
    if (Temporal.Instant.compare(from, this.#now().subtract(KEPT)) < 0) {
      // The caller then walks the list, which shows everyone.
      throw new HoldfastError(
        "source-denied",
        `${EVENTS}: Stripe lists the events of 30 days only, and the last run was earlier`,
      );
    }
    const walk = new PageCursor(EVENTS);
    do {
      const call = eventsCall(Math.floor(from.epochMilliseconds / 1_000), PAGE, walk.cursor);
      const { events, changes, cursor } = await this.#http.read(call, MAX_PAGE, (chunks) =>
        readEventPage(EVENTS, chunks),
      );
      walk.advance(cursor, events[0]);
      if (changes.length > 0) yield changes;
    } while (walk.cursor !== null);
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    if (!idSchema.safeParse(id).success)
      throw new HoldfastError("source-missing", "no verification session of Stripe has an id like this");
    const gathering = new Gathering(this.#ask, this.#right);
    const session = await gathering.session(id, full);
    const { reports, answers, content, gaps } = gathering;
    return {
      identity: identityOf(session, reports),
      answers,
      content,
      listed: listedSession(session.members),
      files: filesOf(reports),
      // Events tell how a session ends, and the list how a redaction does.
      open: false,
      redacted: session.redacted,
      gaps: [...gaps],
    };
  }

  file(_identity: string, { id }: FileRef): Promise<FetchedFile> {
    return this.#contents.open(id);
  }

  /** What the key lacks. Makes a few requests, creates nothing, and keeps none of the answers. */
  checks(): Promise<readonly SourceCheck[]> {
    return checkKey(this.#ask, this.api, this.#now());
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #now(): Temporal.Instant {
    return this.#options.now?.() ?? Temporal.Now.instant();
  }
}
