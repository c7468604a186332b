import { HoldfastError, hasCode } from "../../core/error.ts";
import { broken } from "../answer.ts";
import type { Call } from "../http.ts";
import { PageCursor } from "../page-cursor.ts";
import type { Answer } from "../source.ts";
import { missingAttributes, parseList, parseSingle, type Resource, related } from "./answers.ts";
import { caseCall, casesCall, documentCall, inquiryCall, reportsCall, SINGLE, shortInquiryCall } from "./calls.ts";
import { comparable } from "./content.ts";

/** Asks for the text of an answer. */
export type Ask = (call: Call) => Promise<string>;

/** Maximum characters of all answers of one dossier: they are in memory several times while they are sealed. */
const MAX_DOSSIER = 3 * 1024 * 1024;
/** Maximum requests for one dossier. A person has a few documents. */
const MAX_REQUESTS = 400;

/** Other people's or the client's own objects: they change without the inquiry. Their ids are compared all the same. */
const NOT_COMPARED = ["inquiry-template", "inquiry-template-version", "template", "user", "workflow", "workflow-run"];

/** Objects that one answer shows, and the request for it: their file URLs expire together. */
export interface Shown {
  readonly call: Call;
  readonly resources: readonly Resource[];
}

/** All that Persona answers about one inquiry. */
export class Gathering {
  readonly answers: Answer[] = [];
  readonly shown: Shown[] = [];
  /** What the dossier lacks, in words of the API's documentation: for people. */
  readonly gaps = new Set<string>();
  readonly #ask: Ask;
  readonly #compared: unknown[] = [];
  readonly #denied: string[] = [];
  #isAnyMissing = false;
  #requests = 0;
  #size = 0;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** What is compared. A right that the key lacks is part of it, so that a dossier changes when it is granted. */
  get content(): unknown {
    return comparable({ answers: this.#compared, denied: this.#denied });
  }

  /** Each object once; of two copies, the one from the later answer. */
  get resources(): Resource[] {
    return [...new Map(this.shown.flatMap(({ resources }) => resources.map((each) => [each.id, each]))).values()];
  }

  async inquiry(id: string, full: boolean): Promise<Resource> {
    const call = full ? inquiryCall(id) : shortInquiryCall(id);
    const { data, included } = this.#single(call, id, await this.#text(call));
    for (const name of missingAttributes(data)) this.gaps.add(`attribute ${name} of inquiries`);
    if (full) await this.#all(data, new Set(included.map((resource) => resource.id)));
    // The inquiry itself may have gone meanwhile: what is left of it is no dossier.
    if (this.#isAnyMissing) await this.#text(shortInquiryCall(id));
    return data;
  }

  async #all(inquiry: Resource, included: ReadonlySet<string>): Promise<void> {
    for (const { id } of related(inquiry, "documents")) await this.#one(documentCall(id), id);
    for (const [relation, call] of Object.entries(SINGLE)) {
      for (const { id } of related(inquiry, relation)) if (!included.has(id)) await this.#one(call(id), id);
    }
    const inquiryId = inquiry.id;
    for (const { id } of related(inquiry, "account")) {
      // Those of the person's other inquiries belong to their dossiers.
      await this.#pages(
        (after) => reportsCall(id, after),
        (report) => related(report, "inquiry").every((other) => other.id === inquiryId),
      );
    }
    const cases = await this.#pages(
      (after) => casesCall(inquiryId, after),
      () => true,
    );
    for (const { id } of cases) await this.#one(caseCall(id), id);
  }

  /** An object that is gone is left out. One that the key may not read is too, and the dossier says so. */
  async #one(call: Call, id: string): Promise<void> {
    const text = await this.#permitted(call, id);
    if (text !== undefined) this.#single(call, id, text);
  }

  #single({ name, ...call }: Call, id: string, text: string): { data: Resource; included: readonly Resource[] } {
    const { data, included } = parseSingle(name, text, id);
    this.answers.push({ endpoint: name, text });
    this.shown.push({ call: { name, ...call }, resources: [data, ...included] });
    const compared = included.filter(({ type }) => !NOT_COMPARED.includes(type));
    this.#compared.push({ [name]: [data, ...compared].map(({ raw }) => raw) });
    return { data, included };
  }

  async #pages(call: (after: string | null) => Call, belongs: (resource: Resource) => boolean): Promise<Resource[]> {
    const { name } = call(null);
    const walk = new PageCursor(name);
    const found: Resource[] = [];
    do {
      const asked = call(walk.cursor);
      const text = await this.#permitted(asked, "");
      if (text === undefined) break;
      const { data, next } = parseList(name, text);
      this.answers.push({ endpoint: name, text });
      found.push(...data.filter(belongs));
      this.shown.push({ call: asked, resources: data.filter(belongs) });
      const last = data.at(-1)?.id ?? null;
      if (next && last === null) throw broken(name, "a page has no id to continue from");
      walk.advance(next ? last : null, data.at(0)?.id);
    } while (walk.cursor !== null);
    this.#compared.push({ [name]: found.map(({ raw }) => raw) });
    return found;
  }

  async #permitted(call: Call, id: string): Promise<string | undefined> {
    try {
      return await this.#text(call);
    } catch (error) {
      if (hasCode(error, "source-missing")) {
        this.#isAnyMissing = true;
        return undefined;
      }
      if (!hasCode(error, "source-denied")) throw error;
      this.gaps.add(call.name);
      this.#denied.push(`${call.name} ${id}`);
      return undefined;
    }
  }

  async #text(call: Call): Promise<string> {
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) throw tooLarge(call, `one inquiry names more than ${MAX_REQUESTS} objects`);
    const text = await this.#ask(call);
    this.#size += text.length;
    if (this.#size > MAX_DOSSIER) throw tooLarge(call, "the answers about one inquiry are larger than 3 MiB");
    return text;
  }
}

function tooLarge({ name }: Call, what: string): HoldfastError {
  return new HoldfastError("source-response", `${name}: ${what}`);
}
