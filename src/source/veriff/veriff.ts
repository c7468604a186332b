import type { Secret } from "../../config/secret.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { HoldfastError, hasCode } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { plainId } from "../answer.ts";
import type { SignedRequest } from "../authentication.ts";
import { type Call, Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck } from "../source.ts";
import { uuid } from "./answers.ts";
import { FILE, fileCall, idInPath, isRefusal } from "./calls.ts";
import { checkKey } from "./checks.ts";
import { filesOf } from "./files.ts";
import { type Ask, Gathering } from "./gathering.ts";
import { identityOf, isOpen } from "./identity.ts";
import { projectOf } from "./project.ts";
import { checkedFile, checkSignature, signatureIn, signatureOf } from "./signature.ts";

export interface VeriffOptions extends HttpOptions {
  /** What Veriff calls the API key. It is public; `apiKey` is the integration's shared secret. */
  readonly integrationKey: string;
}

/** Maximum size of one answer about a session, in bytes. */
const MAX_ANSWER = 1024 * 1024;

/** Veriff's Public API v1. One identity is one session of one integration, with all its attempts. */
export class VeriffSource implements Source {
  readonly kind = "veriff";
  /** Ids come from the client's own calls and from webhooks. */
  readonly can = { list: false, changes: false };
  readonly api: string;
  readonly #http: Http;
  readonly #options: VeriffOptions;
  readonly #now: Clock;
  /** The present one: it signs the answers too. */
  #secret: Secret;
  /** What the request about an id signs, where that is not the id itself. */
  readonly #signedAs = new Map<string, string>();
  /** Whether the request for a file signs the session's id. */
  #signsSession = false;

  readonly #ask: Ask = (call) =>
    asGone(call, async () => {
      const { text, headers } = await this.#http.text(call, MAX_ANSWER);
      checkSignature(call.name, text, headers, this.#secret);
      return { text, signature: signatureIn(headers) };
    });

  constructor(options: VeriffOptions) {
    this.api = options.url;
    this.#options = options;
    this.#secret = options.apiKey;
    this.#now = options.clock ?? systemClock;
    const { renewKey } = options;
    this.#http = new Http({
      ...options,
      keyIs: "the shared secret key of the integration that integrationKey names",
      isTimeless: true,
      saysMissing: isRefusal,
      auth: { kind: "signed", sign: (secret, request) => this.#sign(secret, request) },
      ...(renewKey && { renewKey: async () => (this.#secret = await renewKey()) }),
    });
  }

  get requests(): number {
    return this.#http.requests;
  }

  get limits(): LimitsView {
    return this.#http.limits;
  }

  project(): Promise<Project> {
    return projectOf(this.#options.integrationKey, this.#ask);
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *pages(): AsyncGenerator<Page> {
    throw new HoldfastError("internal", "Veriff lists no sessions");
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *changes(): AsyncGenerator<readonly Change[]> {
    throw new HoldfastError("internal", "Veriff names no changes");
  }

  /** Decision and attempts: what is uploaded in between comes with the next of these. */
  async glance(id: string): Promise<unknown> {
    const gathering = new Gathering(this.#ask);
    await gathering.session(sessionId(id), false);
    return gathering.glance;
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    const gathering = new Gathering(this.#ask);
    const decision = await gathering.session(sessionId(id), full);
    return {
      identity: identityOf(id, decision, gathering, this.#now()),
      answers: gathering.answers,
      content: gathering.content,
      glance: gathering.glance,
      listed: undefined,
      files: full ? filesOf(gathering) : [],
      open: isOpen(decision),
      // Veriff deletes sessions as a whole.
      redacted: false,
      gaps: [...gathering.gaps],
    };
  }

  async file(session: string, { id }: FileRef): Promise<FetchedFile> {
    if (!plainId.safeParse(id).success)
      throw new HoldfastError("source-missing", "no file of Veriff has an id like this");
    const call = fileCall(id);
    const file = await asGone(call, () => this.#stream(call, id, session));
    return checkedFile(FILE, file, file.headers, this.#secret);
  }

  /** Whether the address is Veriff's, by a request that must be refused, and whether the answers about someone are signed. */
  checks(known: readonly string[] = []): Promise<readonly SourceCheck[]> {
    const askWrongly: Ask = (call) => this.#signing(idInPath(call.path), "another id", () => this.#ask(call));
    const ask = async (id: string) => {
      const gathering = new Gathering(this.#ask);
      await gathering.session(sessionId(id), true);
      return gathering.signing;
    };
    return checkKey(askWrongly, ask, known);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** Veriff's documentation says that the medium's id is signed, and in another place the session's. */
  async #stream(call: Call, id: string, session: string) {
    const byMedium = () => this.#http.stream(call);
    const bySession = () => this.#signing(id, session, byMedium);
    const [first, second] = this.#signsSession ? [bySession, byMedium] : [byMedium, bySession];
    try {
      return await first();
    } catch (error) {
      if (!hasCode(error, "source-key")) throw error;
      const file = await second();
      this.#signsSession = !this.#signsSession;
      return file;
    }
  }

  async #signing<T>(id: string, as: string, work: () => Promise<T>): Promise<T> {
    this.#signedAs.set(id, as);
    try {
      return await work();
    } finally {
      this.#signedAs.delete(id);
    }
  }

  #sign(secret: Secret, { path }: SignedRequest): Record<string, string> {
    const id = idInPath(path);
    return {
      "x-auth-client": this.#options.integrationKey,
      "x-hmac-signature": signatureOf(secret, this.#signedAs.get(id) ?? id),
    };
  }
}

function sessionId(id: string): string {
  if (uuid.safeParse(id).success) return id;
  throw new HoldfastError("source-missing", "no session of Veriff has an id like this", {
    hint: "Write it as Veriff does: 36 characters, in small letters.",
  });
}

/** What is gone, was archived, and belongs to another integration looks alike. It says nothing about the person. */
async function asGone<T>({ name }: Call, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!hasCode(error, "source-missing")) throw error;
    throw new HoldfastError("source-missing", `${name}: no longer at the provider`, {
      cause: error,
      gone: error instanceof HoldfastError && error.gone,
      hint: "Veriff answers alike for what it deleted, what is beyond its retention, and what another integration has.",
    });
  }
}
