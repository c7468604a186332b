import { HoldfastError, hasCode } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { plainId } from "../answer.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck } from "../source.ts";
import { AccessToken } from "./access.ts";
import { parseMany } from "./answers.ts";
import { applicantsCall, isRefusal } from "./calls.ts";
import { checkKey } from "./checks.ts";
import { comparable } from "./content.ts";
import { fileCalls, filesOf } from "./files.ts";
import { type Ask, Gathering } from "./gathering.ts";
import { identityOf } from "./identity.ts";
import { readApplicantPage } from "./listing.ts";
import { isOpen } from "./open.ts";
import { applicantPages } from "./pages.ts";
import { projectOf } from "./project.ts";

export interface OnfidoOptions extends HttpOptions {
  /** Then the key is this client's secret (OAuth), else it is an API token. */
  readonly clientId?: string | undefined;
  readonly now?: () => Temporal.Instant;
}

/** Applicants per page. */
const PAGE = 100;
/** Maximum size of one answer about an applicant, in bytes; of a page of the list, which is read while it arrives. */
const MAX_ANSWER = 1024 * 1024;
const MAX_PAGE = 256 * 1024 * 1024;

/** Onfido's API v3.6. One identity is one applicant, with everything that belongs to it. */
export class OnfidoSource implements Source {
  readonly kind = "onfido";
  /** Workflow runs can be listed by their creation, but nothing tells of classic checks. */
  readonly can = { list: true, changes: false };
  readonly api: string;
  readonly #http: Http;
  readonly #access: AccessToken | undefined;
  readonly #options: OnfidoOptions;

  readonly #ask: Ask = async (call) => {
    await this.#access?.fresh();
    return this.#http.text(call, MAX_ANSWER);
  };

  constructor(options: OnfidoOptions) {
    this.api = options.url;
    this.#options = options;
    const { clientId } = options;
    if (clientId === undefined) {
      const auth = { kind: "scheme", scheme: "Token token=" } as const;
      this.#http = new Http({ ...options, auth, saysMissing: isRefusal });
      return;
    }
    const access = new AccessToken(options, clientId, () => this.#now());
    this.#access = access;
    this.#http = new Http({
      ...options,
      auth: { kind: "signed", sign: () => ({ authorization: `Bearer ${access.present?.reveal()}` }) },
      saysMissing: isRefusal,
      renewKey: () => access.renewed(),
    });
  }

  get requests(): number {
    return this.#http.requests + (this.#access?.requests ?? 0);
  }

  get limits(): LimitsView {
    return this.#http.limits;
  }

  async project(): Promise<Project> {
    const call = applicantsCall(1, 1);
    const { text } = await this.#ask(call);
    parseMany(call.name, text, "applicants");
    const key = this.#access === undefined ? this.#options.apiKey.reveal() : "";
    return projectOf(this.api, key, call.name, text);
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const ask = async (page: number, size: number) => {
      await this.#access?.fresh();
      return this.#http.read(applicantsCall(page, size), MAX_PAGE, readApplicantPage);
    };
    yield* applicantPages(ask, PAGE, cursor);
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *changes(): AsyncGenerator<readonly Change[]> {
    throw new HoldfastError("internal", "Onfido names no changes");
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    if (!plainId.safeParse(id).success)
      throw new HoldfastError("source-missing", "no applicant of Onfido has an id like this");
    const gathering = new Gathering(this.#ask);
    const applicant = await gathering.applicant(id, full);
    const identity = identityOf(applicant, gathering);
    return {
      identity,
      answers: gathering.answers,
      content: gathering.content,
      glance: gathering.glance,
      listed: comparable(applicant.said),
      ...(identity.created === null ? {} : { listedUpdated: identity.created }),
      files: full ? filesOf(gathering) : [],
      open: isOpen(applicant, gathering.runs, gathering.checks, this.#now()),
      // Onfido deletes applicants as a whole.
      redacted: false,
      gaps: [...gathering.gaps],
    };
  }

  /** Runs and checks: two requests instead of some fifteen. */
  async glance(id: string): Promise<unknown> {
    if (!plainId.safeParse(id).success)
      throw new HoldfastError("source-missing", "no applicant of Onfido has an id like this");
    return new Gathering(this.#ask).glanceAt(id);
  }

  async file(_: string, file: FileRef): Promise<FetchedFile> {
    const calls = fileCalls(file);
    await this.#access?.fresh();
    let refusal: unknown = new HoldfastError("source-missing", "no file of Onfido has an id like this");
    for (const [at, { call, redirect }] of calls.entries()) {
      try {
        return await this.#http.stream(call, { redirect });
      } catch (error) {
        // Of several calls, each may be for another kind of file than this one is.
        if (!hasCode(error, "source-missing", "source-rejected")) throw error;
        if (at === 0 || hasCode(error, "source-missing")) refusal = error;
      }
    }
    throw refusal;
  }

  /** What the key lacks. Makes some 20 requests and keeps none of the answers. */
  checks(): Promise<readonly SourceCheck[]> {
    return checkKey(this.#ask);
  }

  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#access?.close()]);
  }

  #now(): Temporal.Instant {
    return this.#options.now?.() ?? Temporal.Now.instant();
  }
}
