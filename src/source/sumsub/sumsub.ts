import type { Rate } from "../../config/rate.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { HoldfastError, hasCode } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { broken, plainId } from "../answer.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Apart, Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck } from "../source.ts";
import { type Members, parseApplicant } from "./answers.ts";
import { AML_CASE, applicantCall, IMAGES, isRefusal, referenceCall } from "./calls.ts";
import { checkToken } from "./checks.ts";
import { comparable } from "./content.ts";
import { fileCall, filesOf } from "./files.ts";
import { type Aml, type Ask, applicantIn, Gathering } from "./gathering.ts";
import { identityOf } from "./identity.ts";
import { limitsOf } from "./limits.ts";
import { projectOf } from "./project.ts";
import { signedBy } from "./signing.ts";
import { hasBegun, isOpen, namesSomeone } from "./state.ts";
import { watermarkCheck } from "./watermark.ts";

export interface SumsubOptions extends HttpOptions {
  /** The key is this token's secret. */
  readonly appToken: string;
  /** Whether the account uses AML screening. Default true. */
  readonly aml?: boolean;
  /** Default: most of what Sumsub allows. */
  readonly amlRate?: Rate;
  readonly now?: Clock;
}

/** Maximum size of one answer, in bytes. */
const MAX_ANSWER = 1024 * 1024;

/** Sumsub. One identity is one applicant, over all levels and attempts. */
export class SumsubSource implements Source {
  readonly kind = "sumsub";
  /** Webhooks name who is new or changed; the API has no list of applicants. */
  readonly can = { list: false, changes: false };
  readonly api: string;
  readonly #http: Http;
  readonly #options: SumsubOptions;
  readonly #aml: Aml;

  readonly #ask: Ask = async (call) => (await this.#http.text(call, MAX_ANSWER)).text;

  constructor(options: SumsubOptions) {
    const { appToken, aml = true, amlRate } = options;
    this.api = options.url;
    this.#options = options;
    this.#aml = { isUsed: aml, isRefused: false };
    this.#http = new Http({
      ...options,
      auth: signedBy(appToken),
      saysMissing: isRefusal,
      ...limitsOf(amlRate),
      keyIs: "the secret key that Sumsub showed with the app token in appToken",
    });
  }

  get apart(): readonly Apart[] {
    return this.#aml.isUsed ? this.#http.apart : [];
  }

  get requests(): number {
    return this.#http.requests;
  }

  get limits(): LimitsView {
    return this.#http.limits;
  }

  project(): Promise<Project> {
    return projectOf(this.api, this.#options.appToken, this.#ask);
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *pages(): AsyncGenerator<Page> {
    throw new HoldfastError("internal", "Sumsub lists no applicants");
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *changes(): AsyncGenerator<readonly Change[]> {
    throw new HoldfastError("internal", "Sumsub names no changes");
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    checkId(id);
    const gathering = new Gathering(this.#ask, this.#aml);
    const applicant = await gathering.applicant(id, full);
    const redacted = isRedacted(applicant, gathering);
    // A token without the right to personal data is shown an applicant without them.
    if (full && !redacted && hasBegun(applicant) && !namesSomeone(applicant)) gathering.gaps.add("info");
    return {
      identity: identityOf(applicant, gathering),
      answers: gathering.answers,
      content: gathering.content,
      glance: comparable(applicant),
      ...(full && (this.#aml.isUsed ? { base: gathering.contentWithoutAml } : { notAsked: [AML_CASE] })),
      listed: undefined,
      files: full ? filesOf(applicant, gathering) : [],
      open: !redacted && isOpen(applicant, (this.#options.now ?? systemClock)()),
      redacted,
      gaps: [...gathering.gaps],
    };
  }

  /** The applicant alone, with its review: one request instead of 16, and no AML case. */
  async glance(id: string): Promise<unknown> {
    checkId(id);
    return comparable(applicantIn(await this.#ask(applicantCall(id)), id));
  }

  async file(identity: string, file: FileRef): Promise<FetchedFile> {
    const call = fileCall(identity, file);
    if (!call) throw new HoldfastError("source-missing", "no file of Sumsub has an id like this");
    return this.#http.stream(call);
  }

  async idOf(reference: string): Promise<string | undefined> {
    if (reference === "" || !reference.isWellFormed()) return undefined;
    const call = referenceCall(reference);
    try {
      const applicant = parseApplicant(call.name, await this.#ask(call));
      if (applicant.externalUserId === reference) return applicant.id;
    } catch (error) {
      if (!hasCode(error, "source-missing")) throw error;
      return undefined;
    }
    throw broken(call.name, "the answer is for another applicant");
  }

  /** What the token may not do, and whether images are copies. Makes some 17 requests and keeps none of the answers. */
  async checks(known: readonly string[] = []): Promise<readonly SourceCheck[]> {
    const watermark = watermarkCheck(this.#ask, (call) => this.#http.stream(call), known);
    return checkToken(this.#ask, this.#aml, await watermark);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

function checkId(id: string): void {
  if (!plainId.safeParse(id).success)
    throw new HoldfastError("source-missing", "no applicant of Sumsub has an id like this");
}

/**
 * Sumsub erased it: nothing names the person any more, though there was a review. Where images are left, or may not be
 * listed, the token lacks a right instead.
 */
function isRedacted(applicant: Members, { images, gaps }: Gathering): boolean {
  return hasBegun(applicant) && !namesSomeone(applicant) && images.length === 0 && !gaps.has(IMAGES);
}
