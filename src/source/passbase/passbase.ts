import { HoldfastError, hasCode } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import { PROVIDERS } from "../../provider/provider.ts";
import { Http } from "../http.ts";
import type { HttpOptions } from "../http-options.ts";
import { PageCursor } from "../page-cursor.ts";
import { pathStep } from "../path-step.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Answer, Change, Dossier, FetchedFile, Page, Project, Source } from "../source.ts";
import { inOrder, parseIdentity, parseProject, parseResourcePage, readIdentityPage } from "./answers.ts";

/** Identities per page: fewer pages make a night without changes cheaper. */
const PAGE = 100;
/**
 * Maximum size of one answer about an identity, in bytes, and of all its resources together, in characters. They are in
 * memory several times while they are sealed into a record, for as many identities as are processed in parallel.
 */
const MAX_ANSWER = 1024 * 1024;
const MAX_RESOURCES = 2 * 1024 * 1024;
/** Maximum size of a page of the list. It is read while it arrives, and `ListReader` holds less of it. */
const MAX_PAGE = 256 * 1024 * 1024;

interface Resources {
  readonly answers: readonly Answer[];
  readonly files: readonly FileRef[];
  readonly resources: readonly unknown[];
}

/** The endpoints, as records and errors name them. */
const IDENTITY = "GET /identities/{id}";
const RESOURCES = "GET /identity/{id}/resources";
const FILE = "GET …/resource_files/{fid}";

/** Passbase documents no members of its errors, only that they are JSON objects. */
const isRefusal = (answer: unknown): boolean => typeof answer === "object" && answer !== null && !Array.isArray(answer);

/** A config that leaves out the url has the address that Passbase itself had. */
function closed({ source }: HttpOptions): string {
  const field = source === undefined ? "source.url" : `url of source ${source}`;
  return `Passbase closed in 2023. Set ${field} to a server that has its API; if there is no such server, write retired: true.`;
}

/** Passbase Verification API v2. It names no changes: who changed, only its list shows. */
export class PassbaseSource implements Source {
  readonly kind = "passbase";
  readonly can = { list: true, changes: false };
  readonly api: string;
  readonly #http: Http;

  constructor(options: HttpOptions) {
    this.api = options.url;
    this.#http = new Http({
      ...options,
      auth: { kind: "header", name: "x-api-key" },
      keyIs: "the project's secret key, not the publishable one",
      saysMissing: isRefusal,
      ...(options.url === PROVIDERS.passbase.url ? { unreached: closed(options) } : {}),
    });
  }

  get requests(): number {
    return this.#http.requests;
  }

  /** The current rate and its limit; `limitsText` shows it. */
  get limits(): LimitsView {
    return this.#http.limits;
  }

  async project(): Promise<Project> {
    return parseProject(await this.#text("GET /settings", "/settings"));
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const walk = new PageCursor("GET /identities", cursor);
    do {
      const query = walk.cursor === null ? "" : `&cursor=${encodeURIComponent(walk.cursor)}`;
      const path = `/identities?limit=${PAGE}${query}`;
      const page = await this.#http.read({ name: "GET /identities", path }, MAX_PAGE, readIdentityPage);
      walk.advance(page.cursor, page.first);
      yield page;
    } while (walk.cursor !== null);
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *changes(): AsyncGenerator<readonly Change[]> {
    throw new HoldfastError("internal", "Passbase names no changes");
  }

  async dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    const text = await this.#text(IDENTITY, `/identities/${pathStep(IDENTITY, id)}`);
    const { identity, raw, redacted } = parseIdentity(text);
    if (identity.id !== id) {
      throw new HoldfastError("source-response", `${IDENTITY}: the answer is for another identity`, {
        hint: "The provider mixed up two answers; the next run tries again.",
      });
    }
    const { answers, files, resources } = full
      ? await this.#resourcesOf(id)
      : { answers: [], files: [], resources: [] };
    return {
      identity,
      answers: [{ endpoint: IDENTITY, text }, ...answers],
      content: { identity: raw, resources: inOrder(resources) },
      listed: raw,
      files,
      // Files alone may be withheld, one by one.
      gaps: [],
      // Its list shows every status.
      open: false,
      redacted,
    };
  }

  /** An identity that is deleted between two requests is missing; one that remains without resources is a fault. */
  async #resourcesOf(id: string): Promise<Resources> {
    try {
      return await this.#resources(id);
    } catch (error) {
      if (!hasCode(error, "source-missing")) throw error;
      await this.#text(IDENTITY, `/identities/${pathStep(IDENTITY, id)}`);
      throw new HoldfastError("source-response", `${RESOURCES}: the provider shows the identity but answers 404 here`, {
        cause: error,
      });
    }
  }

  async #resources(id: string): Promise<Resources> {
    const walk = new PageCursor(RESOURCES);
    const answers: Answer[] = [];
    const files: FileRef[] = [];
    const resources: unknown[] = [];
    let size = 0;
    do {
      const query = walk.cursor === null ? "" : `?cursor=${encodeURIComponent(walk.cursor)}`;
      const path = `/identity/${pathStep(RESOURCES, id)}/resources${query}`;
      const text = await this.#text(RESOURCES, path);
      const page = parseResourcePage(text);
      size += text.length;
      if (size > MAX_RESOURCES)
        throw new HoldfastError("source-response", `${RESOURCES}: the answers are larger than 2 MiB`);
      answers.push({ endpoint: RESOURCES, text });
      files.push(...page.files);
      resources.push(...page.data);
      walk.advance(page.next, page.first);
    } while (walk.cursor !== null);
    return { answers, files, resources };
  }

  async file(identity: string, { resource, id }: FileRef): Promise<FetchedFile> {
    const [owner, part, file] = [identity, resource, id].map((step) => pathStep(FILE, step));
    return this.#http.stream({ name: FILE, path: `/identity/${owner}/resources/${part}/resource_files/${file}` });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #text(name: string, path: string): Promise<string> {
    return (await this.#http.text({ name, path }, MAX_ANSWER)).text;
  }
}
